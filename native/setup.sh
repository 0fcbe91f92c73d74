# Sourced by ./gradus and ./test: everything between a fresh machine and a built program. Says one line for each thing it
# does, nothing when there is nothing to do; the full output is in build/setup.log. Two at once wait for each other.

gradus_say() { printf 'gradus: %s\n' "$*" >&2; }

gradus_fail() {
  gradus_say "$1; the last lines of build/setup.log:"
  tail -n 15 "$2" >&2 || true
  exit 1
}

# gradus_install LOG PACKAGE...: through apt, as root or by sudo.
gradus_install() {
  local log=$1 as=()
  shift
  command -v apt-get > /dev/null || { gradus_say "please install the equivalent of: $*"; exit 2; }
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { gradus_say "as root, once: apt-get install --no-install-recommends $*"; exit 2; }
    as=(sudo)
  fi
  gradus_say "installing $* (once) …"
  # The package lists may be missing or too old for what they name: refresh them when the first try fails.
  if ! "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >> "$log" 2>&1; then
    "${as[@]}" apt-get update >> "$log" 2>&1 || true
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >> "$log" 2>&1 || gradus_fail "could not install $*" "$log"
  fi
}

# Packages of this machine's distribution that are not there yet, one a line.
gradus_missing() {
  command -v g++ > /dev/null || echo g++
  if [ -z "${GRADUS_LIBTORCH:-}" ]; then
    [ -f /usr/include/torch/csrc/api/include/torch/version.h ] || echo libtorch-dev
    # The reference BLAS is 50 times slower; OpenBLAS's pthread build fights libtorch's OpenMP threads for the cores.
    [ -e "/usr/lib/$(uname -m)-linux-gnu/openblas-openmp/libblas.so.3" ] || echo libopenblas0-openmp
    [ -e /usr/include/gloo/allreduce.h ] || echo libgloo-dev
  fi
}

gradus_setup() {
  local root=$1 log=$1/build/setup.log
  mkdir -p "$root/build"
  command -v dotnet > /dev/null || { gradus_say "the .NET 10 SDK is needed: package dotnet-sdk-10.0, or https://dot.net"; exit 2; }
  exec 9> "$root/build/setup.lock"
  flock 9
  : > "$log"
  local missing
  missing=$(gradus_missing)
  # shellcheck disable=SC2086
  [ -z "$missing" ] || gradus_install "$log" $missing

  local library=$root/build/native/libgradus.so
  [ -f "$library" ] || gradus_say "building the native library (once) …"
  "$root/native/build.sh" >> "$log" 2>&1 || gradus_fail "the native library did not build" "$log"

  local program=$root/src/Gradus.Cli/bin/Release/net10.0/gradus.dll
  if [ ! -f "$program" ] || [ -n "$(find "$root/src" "$root"/Directory.* "$root/.editorconfig" -name obj -prune -o -name bin -prune -o -type f -newer "$program" -print -quit)" ]; then
    gradus_say "building Gradus …"
    (cd "$root" && dotnet build src/Gradus.Cli/Gradus.Cli.csproj -c Release -v quiet --nologo) >> "$log" 2>&1 || gradus_fail "Gradus did not build" "$log"
    touch "$program"
  fi
  flock -u 9
  exec 9>&-
}
