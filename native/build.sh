#!/usr/bin/env bash
# Builds build/native/libgradus.so against one libtorch: the system's (Debian's libtorch-dev), or the one that
# GRADUS_LIBTORCH names (an unpacked libtorch, or the `torch` folder of a pip-installed PyTorch; CUDA included).
# One source for libtorch 1.13 to 2.x. Does nothing when the result is newer than the sources and made for the same libtorch.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${GRADUS_NATIVE_OUT:-$here/../build/native}
mkdir -p "$out"

root=${GRADUS_LIBTORCH:-}
if [ -n "$root" ]; then
  include=$root/include
  lib=$root/lib
  [ -f "$lib/libtorch_cpu.so" ] || { echo "gradus: GRADUS_LIBTORCH=$root holds no lib/libtorch_cpu.so" >&2; exit 2; }
else
  include=/usr/include
  lib=$(dirname "$(find /usr/lib -name libtorch_cpu.so -not -path '*python*' 2>/dev/null | head -n 1)" 2>/dev/null || true)
  [ -n "$lib" ] && [ "$lib" != . ] || { echo "gradus: libtorch not found; install Debian's libtorch-dev, or name an unpacked libtorch in GRADUS_LIBTORCH" >&2; exit 2; }
fi

key="$(readlink -f "$lib/libtorch_cpu.so") $(stat -c '%s %Y' -L "$lib/libtorch_cpu.so") $(cat "$here"/*.cpp "$here"/*.h "$here/build.sh" | sha256sum)"
if [ -f "$out/libgradus.so" ] && [ "$(cat "$out/made-for" 2>/dev/null)" = "$key" ]; then exit 0; fi

flags=(-O2 -fPIC -fvisibility=hidden -Wno-deprecated-declarations -isystem "$include/torch/csrc/api/include")
[ "$include" = /usr/include ] || flags+=(-isystem "$include")
version=
for header in "$include/torch/headeronly/version.h" "$include/torch/csrc/api/include/torch/version.h"; do
  [ -f "$header" ] || continue
  # The string is spelled over several lines; its three numbers are not.
  version=$(sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\).*/\2/p' "$header" | paste -sd. -)
  [ -z "$version" ] || break
done
# C++20 became libtorch's language after 2.11; before 2.1 it was C++14, and C++17 compiles it.
case $version in 2.1[2-9]*|2.[2-9][0-9]*|[3-9]*) flags+=(-std=c++20) ;; *) flags+=(-std=c++17) ;; esac
# Builds before the new string ABI (old pip wheels) say so in their symbols.
if [ "$(nm -DC "$lib/libc10.so" | grep -c 'std::__cxx11::basic_string' || true)" = 0 ]; then flags+=(-D_GLIBCXX_USE_CXX11_ABI=0); fi

libs=(-L"$lib" -Wl,-rpath,"$lib" -Wl,--no-as-needed -ltorch_cpu -ltorch -lc10)
if [ -f "$lib/libtorch_cuda.so" ]; then
  libs+=(-ltorch_cuda -lc10_cuda)
  # pip lays the CUDA headers beside torch; a toolkit lies in /usr/local/cuda. Without them everything works but memory statistics.
  for cuda in "$root"/../nvidia/cuda_runtime/include "$root"/../nvidia/cu*/include /usr/local/cuda/include; do
    if [ -f "$cuda/cuda_runtime_api.h" ]; then flags+=(-isystem "$cuda"); break; fi
  done
fi

for unit in gradus groups memory; do
  g++ "${flags[@]}" -c "$here/$unit.cpp" -o "$out/$unit.o" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || { echo "gradus: the native library did not compile against libtorch $version in $include" >&2; exit 1; }; done
g++ -shared -fopenmp -o "$out/libgradus.so.tmp" "$out/gradus.o" "$out/groups.o" "$out/memory.o" -Wl,--no-undefined "${libs[@]}"
mv "$out/libgradus.so.tmp" "$out/libgradus.so"
rm -f "$out"/*.o
printf '%s\n' "$key" > "$out/made-for"
