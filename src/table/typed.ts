import type { DataType, Expr, JsType, ReadBy, Scalar, TypeOf, Value, ValueOf } from '../plan/index.ts'

// What TypeScript knows of a table: a type of its columns, by name, each with the type of a value that is present. Every verb has
// a type here that says what becomes of the columns.

/** The columns of a table that was told no types: any name, of any type. */
export type AnyRow = Record<string, unknown>

/** Column types as data: what `withSchema` and `read` take. */
export type SchemaOf = Readonly<Record<string, DataType>>
/** The columns of a schema. */
export type RowOf<D extends SchemaOf> = { -readonly [K in keyof D]: JsType<D[K]> }
/** A row as an object, as programs get it: any value may be missing. */
export type RowObject<S> = IsUntyped<S> extends true ? Record<string, unknown> : { [K in keyof S]: S[K] | null }

export type IsUntyped<S> = string extends keyof S ? true : false
/** Names of columns. */
export type Name<S> = keyof S & string
/** One object type, which errors show as such. */
type Flat<T> = T extends infer O ? { [K in keyof O]: O[K] } : never
/** The columns unless nothing is known of the input's. */
type Typed<S, Result> = IsUntyped<S> extends true ? AnyRow : Result

/** What a column that is not there needs to be: an error that names those there are. */
export interface NoSuchColumn<Missing, Columns> {
  readonly 'no such column': Missing
  readonly 'there are': Columns
}
/** Nothing, or an error where a column that is read is not among the table's. */
export type Known<S, C> =
  IsUntyped<S> extends true
    ? unknown
    : string extends C
      ? unknown
      : [Exclude<C, keyof S>] extends [never]
        ? unknown
        : NoSuchColumn<Exclude<C, keyof S>, keyof S>
/** `Known` for each of several values by name. */
export type KnownAll<S, A> = { readonly [K in keyof A]: Known<S, ReadBy<A[K]>> }
/** `Known` for each key of an object that names columns. */
export type KnownKeys<S, A> = { readonly [K in keyof A]: Known<S, K> }

/** The columns as expressions, for callbacks: `table.filter((c) => c.sales.greater(10))`. */
export type Columns<S> = { readonly [K in Name<S>]: Expr<S[K], K> }
export type Given<S, V> = V | ((columns: Columns<S>) => V)

/** The type of a computed value in a table. */
type Computed<S, V> = Resolved<S, ValueOf<V>>
type Resolved<S, T> =
  T extends TypeOf<infer N>
    ? N extends keyof S
      ? S[N]
      : unknown
    : T extends readonly (infer E)[]
      ? [Extract<E, TypeOf<string>>] extends [never]
        ? T
        : readonly (Resolved<S, NonNullable<E>> | null)[]
      : T
export type ComputedAll<S, A> = { -readonly [K in keyof A]: Computed<S, A[K]> }

// ── verbs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What `select` and `groupBy` take: names, or computed columns as an object. */
export type SelectInput<S> = (keyof S & string) | Readonly<Record<string, Value>>
type One<S, I> = I extends keyof S ? Pick<S, I> : I extends string ? unknown : ComputedAll<S, I>
type All<S, A extends readonly unknown[]> = A extends readonly [infer H, ...infer R] ? One<S, H> & All<S, R> : unknown
export type Selected<S, A extends readonly unknown[]> = Typed<S, number extends A['length'] ? AnyRow : Flat<All<S, A>>>
/** `Known` for each input of a list. */
export type KnownInputs<S, A extends readonly unknown[]> = {
  readonly [I in keyof A]: A[I] extends string ? unknown : KnownAll<S, A[I]>
}

export type WithColumns<S, A> = Typed<S, Flat<Omit<S, keyof A> & ComputedAll<S, A>>>
export type WithColumn<S, N extends string, T> = Typed<S, string extends N ? AnyRow : Flat<Omit<S, N> & Record<N, T>>>
export type Renamed<S, M> = Typed<
  S,
  string extends keyof M ? AnyRow : { [K in keyof S as K extends keyof M ? (M[K] extends string ? M[K] : K) : K]: S[K] }
>
export type Dropped<S, N extends string> = Typed<S, string extends N ? AnyRow : Flat<Omit<S, N>>>
/** Named columns to types, or every numeric column to one. */
export type CastTo<S, D> = Typed<
  S,
  D extends DataType
    ? { [K in keyof S]: [S[K]] extends [number | bigint] ? JsType<D> : S[K] }
    : { [K in keyof S]: K extends keyof D ? (D[K] extends DataType ? JsType<D[K]> : S[K]) : S[K] }
>
/** Groups' keys, and their aggregates. */
export type Aggregated<S, Keys, A> = Typed<S, IsUntyped<Keys> extends true ? AnyRow : Flat<Keys & ComputedAll<S, A>>>

/** The names in an option that takes one or several. */
export type NamesIn<O> = O extends string ? O : O extends readonly (infer N extends string)[] ? N : never

/** Columns that are equal: those of one name in both tables, or pairs. */
export type TypedKeys<S, R> = OneOrMorePairs<Name<S> & Name<R>, readonly [left: Name<S>, right: Name<R>]>
type OneOrMorePairs<N extends string, P> = N | readonly (N | P)[]
type SharedKeys<On> = On extends string
  ? On
  : On extends readonly (infer K)[]
    ? K extends string
      ? K
      : K extends readonly [infer L, infer R]
        ? [L, R] extends [R, L]
          ? L
          : never
        : never
    : never
type Option<O, N extends string, Default> = O extends { readonly [K in N]: infer V }
  ? V extends undefined
    ? Default
    : V
  : Default
type Suffixed<L, R, On, Suffix extends string> = {
  [K in Exclude<Name<R>, SharedKeys<On>> as K extends keyof L ? `${K}${Suffix}` : K]: R[K]
}
/** The left columns, then those of the right but for keys of the same name; taken names get the suffix. */
export type Joined<L, R, O> =
  IsUntyped<L> extends true
    ? AnyRow
    : Option<O, 'type', 'inner'> extends 'semi' | 'anti'
      ? L
      : IsUntyped<R> extends true
        ? AnyRow
        : Flat<L & Suffixed<L, R, Option<O, 'on', never>, Option<O, 'suffix', '_right'> & string>>
/** As-of joins keep the right's time too. */
export type JoinedAsOf<L, R, O> =
  IsUntyped<L> extends true
    ? AnyRow
    : IsUntyped<R> extends true
      ? AnyRow
      : Flat<L & Suffixed<L, R, Option<O, 'by', never>, Option<O, 'suffix', '_right'> & string>>

export type United<S, R> =
  IsUntyped<S> extends true ? AnyRow : IsUntyped<R> extends true ? AnyRow : Flat<S & Omit<R, keyof S>>

type TextOf<V> = V extends string | number | bigint | boolean | null ? `${V}` : never
/** The columns of a pivot whose values are given. */
export type Pivoted<S, O> = O extends {
  readonly index: infer I
  readonly columns: readonly (infer V)[]
  readonly values: infer A
}
  ? Typed<
      S,
      string extends TextOf<V>
        ? AnyRow
        : Flat<Pick<S, NamesIn<I> & keyof S> & Record<A extends Expr ? TextOf<V> : PivotName<V, A>, PivotValue<S, A>>>
    >
  : AnyRow
/** One aggregate's cells are called like the value, those of several like value_name. */
type PivotName<V, A> = IsUnion<keyof A> extends true ? `${TextOf<V>}_${keyof A & string}` : TextOf<V>
type PivotValue<S, A> = A extends Expr ? Computed<S, A> : Computed<S, A[keyof A]>
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never

/** Lists become their elements. */
export type Exploded<S, N extends string, Position> = Typed<
  S,
  Flat<
    {
      [K in keyof S]: K extends N ? (S[K] extends readonly (infer E)[] ? NonNullable<E> : unknown) : S[K]
    } & (Position extends string ? Record<Position, number> : unknown)
  >
>
export type Unpivoted<S, O> = O extends { readonly on: readonly (infer N)[] }
  ? Typed<
      S,
      Flat<
        Omit<S, N & keyof S> &
          Record<Option<O, 'name', 'name'> & string, string> &
          Record<Option<O, 'value', 'value'> & string, S[N & keyof S]>
      >
    >
  : AnyRow
export type Resampled<S, O, A> = O extends { readonly on: infer N }
  ? Typed<S, Flat<Pick<S, (N | NamesIn<Option<O, 'by', never>>) & keyof S> & ComputedAll<S, A>>>
  : AnyRow
/** The columns that a function gives, beside those that stay. */
export type Mapped<S, D extends SchemaOf, K> = string extends keyof D
  ? AnyRow
  : K extends true
    ? Typed<S, Flat<Omit<S, keyof D> & RowOf<D>>>
    : K extends readonly (infer N)[]
      ? Typed<S, Flat<Pick<S, Exclude<N, keyof D> & keyof S> & RowOf<D>>>
      : RowOf<D>
/** The column that `bins` adds. */
export type Binned<S, N, O> = N extends string
  ? WithColumn<S, Option<O, 'as', `${N}_bin`> & string, Option<O, 'labels', 'index'> extends 'index' ? number : string>
  : AnyRow

// ── rows in a program ──────────────────────────────────────────────────────────────────────────────────────────────────

type KeysOf<R> = R extends unknown ? keyof R : never
type Of<R, K> = R extends unknown ? (K extends keyof R ? R[K] : never) : never
type Widened<V> =
  V extends Exclude<Scalar, null>
    ? ValueOf<V>
    : V extends null | undefined
      ? never
      : V extends Uint8Array
        ? Uint8Array
        : V extends ReadonlyMap<infer K, infer W>
          ? readonly { readonly key: Widened<K>; readonly value: Widened<W> | null }[]
          : V extends readonly (infer E)[]
            ? readonly (Widened<E> | null)[]
            : { readonly [K in keyof V]: Widened<V[K]> | null }
type Inferred<R, Without> = { -readonly [K in Exclude<KeysOf<R>, Without>]: Widened<Of<R, K>> }
/** The columns of rows given as objects; given types go before. */
export type FromRows<R, T extends SchemaOf> = string extends keyof T
  ? string extends KeysOf<R>
    ? AnyRow
    : Flat<Inferred<R, never>>
  : string extends KeysOf<R>
    ? AnyRow
    : Flat<Inferred<R, keyof T> & RowOf<T>>
