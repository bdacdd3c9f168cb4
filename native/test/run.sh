#!/bin/sh
# Builds and runs the kernels' test (or, with `bench`, their benchmark) on their own, without Node.
set -e
cd "$(dirname "$0")/.."
program=${1:-test}
out=${FATHOM_TEST_BUILD:-/tmp/fathom-kernels-$(id -u)}
mkdir -p "$out"
cxx=${CXX:-g++}
flags="-O3 -std=c++20 -fno-math-errno -fno-trapping-math -fno-strict-aliasing -Wall -Wextra -Wno-psabi -g1"
sources="gemm gemm_block gemm_generic gemm_micro conv2d conv2d_direct conv2d_filter_gradient conv2d_generic
  conv2d_groups conv2d_pool winograd winograd_filter_gradient depthwise pool2d normalization_batch normalization_layer"
case $(uname -m) in x86_64) sets="avx512 avx2 portable" ;; *) sets=portable ;; esac

compile() {  # object source flags...
  object=$1 source=$2
  shift 2
  newer=
  [ -f "$object" ] && newer=$(find "$source" pool.h tensor.h simd.h kernels test -name '*.h' -newer "$object")
  if [ ! -f "$object" ] || [ "$source" -nt "$object" ] || [ -n "$newer" ]; then
    $cxx $flags "$@" -c "$source" -o "$object"
  fi
}

objects="$out/pool.o $out/$program.o"
compile "$out/pool.o" pool.cpp
compile "$out/$program.o" "test/kernels_$program.cpp"
for set in $sets; do
  case $set in
    avx512) isa="-DFATHOM_VECTOR_BYTES=64 -mavx512f -mavx512vl -mavx512dq -mavx512bw -mfma -mprefer-vector-width=512" ;;
    avx2) isa="-DFATHOM_VECTOR_BYTES=32 -mavx2 -mfma" ;;
    *) isa="-DFATHOM_VECTOR_BYTES=16" ;;
  esac
  for file in $sources; do
    [ -f "kernels/$file.cpp" ] || continue
    compile "$out/$set.$file.o" "kernels/$file.cpp" -DFATHOM_ISA=$set $isa
    objects="$objects $out/$set.$file.o"
  done
done
# A weak symbol outside its instruction set's namespace could be linked into code for processors that lack it.
for set in $sets; do
  if nm -C "$out/$set".*.o | grep '^[0-9a-f]* [WVu] ' | grep -v "fathom::$set::\|DW.ref"; then
    echo "shared by all instruction sets, compiled for $set" >&2
    exit 1
  fi
done
$cxx $objects -o "$out/$program" -pthread
shift $(($# > 0 ? 1 : 0))
exec "$out/$program" "$@"
