import type { DType } from '../core/index.ts'

/** What a column becomes. Every pass over features is a total map over these kinds. */
export const featureKinds = ['numeric', 'category', 'date', 'keywords', 'text', 'textSequence', 'image'] as const
export type FeatureKind = (typeof featureKinds)[number]

/** A number column: imputed, scaled into the field `dense`, and, when asked for, encoded by bins into the field `bins`. */
export interface NumericSpec {
  readonly kind: 'numeric'
  readonly column: string
  /**
   * How values are scaled; default `robust`: (x − median) / (q75 − q25), by the half range where the quartiles are
   * equal (Holzmüller et al. 2024, RealMLP). `quantile` maps to a standard normal by ranks.
   */
  readonly scaling?: 'robust' | 'standard' | 'quantile' | 'none'
  /** Squashes the scaled value smoothly into ±`clip`: z / sqrt(1 + (z / clip)²). 0 leaves it. Default 3. */
  readonly clip?: number
  /** What stands for a missing value. Default `median`. */
  readonly impute?: 'median' | 'mean' | number
  /** Whether missing values get a column of their own, 0 or 1; default `auto`: when the training part has some. */
  readonly missingFlag?: 'auto' | 'always' | 'never'
  /** The number of quantile bins of the second encoding, into the field `bins`. Default 0: none. */
  readonly bins?: number
  /** `piecewiseLinear` (Gorishniy et al. 2022) or `onehot`. Default `piecewiseLinear`. */
  readonly binEncoding?: 'piecewiseLinear' | 'onehot'
  /** Shifts the bin encoding by −0.5, so that it is centred. Default true. */
  readonly binCenter?: boolean
}

/** A category column: one-hot into `dense` where there are few values, ids into `categories` where there are many. */
export interface CategorySpec {
  readonly kind: 'category'
  readonly column: string
  /** Default `auto`: `onehot` for at most `maxOneHot` values, `ids` beyond. */
  readonly encoding?: 'auto' | 'onehot' | 'ids'
  /** Default 9 (RealMLP). */
  readonly maxOneHot?: number
  /** Values seen less often than this in training are rare. Default 1: none is, unless `maxCategories` makes it so. */
  readonly minCount?: number
  /** Values beyond the most frequent this many are rare. Default 10,000. */
  readonly maxCategories?: number
  /** One column of −1 and 1 instead of two for a column of two values. Default true. */
  readonly binary?: boolean
  readonly missingFlag?: 'auto' | 'always' | 'never'
}

export const dateParts = ['elapsed', 'year', 'month', 'dayOfMonth', 'dayOfWeek', 'hour'] as const
export type DatePart = (typeof dateParts)[number]

/** A date or time column: elapsed time and year scaled, cyclic parts as sine and cosine, into `dense`. */
export interface DateSpec {
  readonly kind: 'date'
  readonly column: string
  /** Default: those that vary in the training part. */
  readonly parts?: readonly DatePart[]
  readonly missingFlag?: 'auto' | 'always' | 'never'
}

/** A text column of a table: for each of its most frequent words, whether the row has it (0 or 1), into `dense`. */
export interface KeywordsSpec {
  readonly kind: 'keywords'
  readonly column: string
  /** Default 64. */
  readonly maxWords?: number
  /** A word must be in at least this many rows, and absent from as many. Default 5. */
  readonly minRows?: number
  /** … and in at least this share of the rows. Default 0.01. */
  readonly minShare?: number
  readonly missingFlag?: 'auto' | 'always' | 'never'
}

/** One family of terms of a text feature, with its own vocabulary and norm. */
export interface TermsSpec {
  /** `word`: n-grams of words; `character`: n-grams of the characters within each word, its edges marked. */
  readonly unit: 'word' | 'character'
  /** The shortest and the longest n-gram, inclusive. Default [1, 2] for words, [2, 5] for characters. */
  readonly ngrams?: readonly [number, number]
  /** Marks a text's beginning and end by words of their own in n-grams of two words and more. Default false. */
  readonly edges?: boolean
  /** Terms in fewer training texts are left out. Default: 1 for words and 2 for characters; in more than a million words 2 and 5. */
  readonly minDocuments?: number
  /** Terms beyond the most frequent this many are left out. Default 150,000 for words, 100,000 for characters. */
  readonly maxTerms?: number
  /** 1 + ln(count) (`sublinear`), the count, or 1 (`binary`). Default `sublinear`. */
  readonly frequency?: 'sublinear' | 'count' | 'binary'
  /** Multiplies by ln((1 + texts) / (1 + texts with the term)) + 1. Default true. */
  readonly inverseDocumentFrequency?: boolean
  /** Divides by the Euclidean norm of the text's weights of this family. Default `l2`. */
  readonly norm?: 'l2' | 'none'
  /** Multiplies the family's weights after the norm. Default 1. */
  readonly scale?: number
}

/** A text column as a weighted bag of words' and characters' n-grams: a bag field. */
export interface TextSpec {
  readonly kind: 'text'
  readonly column: string
  /** The bag field's name. Default `text`. */
  readonly field?: string
  /** Default true. */
  readonly lowerCase?: boolean
  /** Default: words alone and in pairs, and 2 to 5 characters; sublinear TF-IDF, each family of norm 1. */
  readonly terms?: readonly TermsSpec[]
}

/** A text column as ids of words in order, padded with 0 to one length: an int32 field [n, length]. */
export interface TextSequenceSpec {
  readonly kind: 'textSequence'
  readonly column: string
  /** The field's name. Default `tokens`. */
  readonly field?: string
  readonly lowerCase?: boolean
  /** The longest sequence kept, in tokens. Default: what 98 % of the training texts need, a multiple of 8, at most 256. */
  readonly length?: number
  /** Words in fewer training texts than this are spelled by pieces. Default 2. */
  readonly minDocuments?: number
  /** Default 30,000. */
  readonly maxWords?: number
  /** Spells unknown words by frequent pieces of 1 to 4 characters rather than as one unknown id. Default true. */
  readonly pieces?: boolean
}

/** A picture column (a path, or a file's bytes): uint8 [n, height, width, channels]. */
export interface ImageSpec {
  readonly kind: 'image'
  readonly column: string
  /** The field's name. Default `image`. */
  readonly field?: string
  /** Default: the median size of a sample, at most `maxSize` on the longer side, a multiple of 4. */
  readonly height?: number
  readonly width?: number
  /** Default 64. */
  readonly maxSize?: number
  /** 1 grey, 3 RGB. Default: grey when every picture of a sample is. */
  readonly channels?: 1 | 3
  /** `cover` cuts what does not fit, `contain` pads with black, `fill` distorts. Default `cover`. */
  readonly resize?: 'cover' | 'contain' | 'fill'
  /** Pictures of more pixels than this are refused as unreadable. Default 100 million. */
  readonly maxPixels?: number
  /** Where relative paths start. Default: the working directory. */
  readonly directory?: string
}

export interface FeatureSpecs {
  numeric: NumericSpec
  category: CategorySpec
  date: DateSpec
  keywords: KeywordsSpec
  text: TextSpec
  textSequence: TextSequenceSpec
  image: ImageSpec
}
export type FeatureSpec = FeatureSpecs[FeatureKind]

/** The column to predict. */
export type TargetSpec = ClassTargetSpec | NumberTargetSpec
export interface ClassTargetSpec {
  readonly kind: 'class'
  readonly column: string
}
export interface NumberTargetSpec {
  readonly kind: 'number'
  readonly column: string
  /** `log` standardises ln(y) instead of y; `auto` does so when y > 0 and heavily skewed. Default `none`. */
  readonly transform?: 'none' | 'log' | 'auto'
}

/** What becomes of each column, before anything is fitted. Plain data: can be written to and read from a configuration. */
export interface FeatureSetSpec {
  readonly features: readonly FeatureSpec[]
  readonly target?: TargetSpec
}

/**
 * A field of the examples that the features make: what a model's inputs are built from.
 * `shape` is one example's; a bag's size is the number of ids.
 */
export type FieldSignature =
  | {
      readonly kind: 'dense'
      readonly name: string
      readonly dtype: DType
      readonly shape: readonly number[]
      /** For fields of shape [width]: what each position holds, "age", "sex=male", "age missing". */
      readonly positions?: readonly string[]
      /** For fields of ids: how many ids there are, for each position (`categories`) or for all (`tokens`). */
      readonly cardinalities?: readonly number[]
    }
  | {
      readonly kind: 'bag'
      readonly name: string
      /** Ids are 0 … size − 1. */
      readonly size: number
    }
