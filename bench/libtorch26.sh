#!/usr/bin/env bash
# Builds this checkout against Debian 13's libtorch 2.6 and runs the engine's and the parity tests there.
#
#   bench/libtorch26.sh [FOLDER] [-- TEST ARGUMENTS]
#
# FOLDER (default build/trixie, about 3 GB) becomes a Debian 13 made with debootstrap; it is kept, and a second run only copies the
# sources and runs. The host lends its .NET SDK and its NuGet packages; the Debian mirror is the one of the host's own apt sources.
# Test arguments go to the test program instead of the default selection, as in: -- -trait "Row=G4" -class "Gradus.Tests.Engine.*"
# SUITE=sid runs the same against Debian unstable's libtorch. Needs root, for chroot and mounts. Not part of ./test.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
suite=${SUITE:-trixie}
folder=$here/build/$suite
case ${1:-} in
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "" | --) ;;
  *) folder=$1; shift ;;
esac
[ "${1:-}" = -- ] && shift
[ $# -gt 0 ] || set -- -namespace "Gradus.Tests.Engine.*" -namespace "Gradus.Tests.Models.*" -namespace "Gradus.Tests.Training.*"

[ "$(id -u)" = 0 ] || { echo "libtorch26: needs root, for chroot and mounts" >&2; exit 2; }
if [ -z "${GRADUS_OWN_MOUNTS:-}" ]; then
  # In a mount namespace of its own every mount below ends with this script, however it ends, and the host never sees one.
  GRADUS_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$folder" -- "$@"
fi
# Build servers would outlive the script and keep its mounts and locks.
export DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
for tool in debootstrap dotnet; do
  command -v "$tool" > /dev/null || { echo "libtorch26: $tool is missing (Debian: apt-get install $tool)" >&2; exit 2; }
done
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
packages=$(dotnet nuget locals global-packages --list | sed -n 's/^global-packages: *//p')
say() { printf '== %s\n' "$*"; }

final=$(realpath -m "$folder")
enter() { # FOLDER: what programs inside it need of the host
  folder=$1
  mount -t proc proc "$folder/proc"
  mount --rbind /dev "$folder/dev"
  cp -L /etc/resolv.conf "$folder/etc/resolv.conf" 2> /dev/null || true
}
inside() { # COMMAND...: runs it inside, with an environment of its own
  chroot "$folder" /usr/bin/env -i HOME=/root PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$sdk" LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive DOTNET_ROOT="$sdk" NUGET_PACKAGES=/srv/packages \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1 ${CI:+CI="$CI"} "$@"
}

if [ ! -e "$final/.complete" ]; then
  # Made beside its place and renamed when complete: what an interrupted set-up leaves is made anew.
  rmdir "$final" 2> /dev/null || true
  [ ! -e "$final" ] || { echo "libtorch26: $final exists and was not made by this script" >&2; exit 2; }
  rm -rf --one-file-system "$final.making"
  mkdir -p "$final.making"
  log=$final.log
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "Debian" && $2 == "main" && $3 ~ /\/debian\/?$/ { print $3; exit }')
  [ -n "$mirror" ] || { echo "libtorch26: no Debian mirror in this machine's apt sources (run apt-get update)" >&2; exit 2; }
  say "debootstrap $suite into $final (log: $log)"
  debootstrap --variant=minbase "$suite" "$final.making" "$mirror" > "$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
  apt-config dump Acquire | grep -i proxy > "$final.making/etc/apt/apt.conf.d/90host" || true
  say "libtorch, gloo, OpenBLAS, compiler and what .NET needs"
  # libopenblas0-openmp by name: otherwise Debian takes the reference BLAS, or the build whose threads fight with OpenMP's.
  # The set-up has a mount namespace of its own, so that the folder can be renamed afterwards.
  export -f enter inside
  export sdk final
  unshare --mount --propagation private bash -euo pipefail -c '
    enter "$final.making"
    inside apt-get update
    icu=$(inside apt-cache search --names-only "^libicu[0-9]+$" | cut -d" " -f1 | sort -V | tail -n 1)
    inside apt-get install -y --no-install-recommends libtorch-dev libgloo-dev libopenblas0-openmp g++ ca-certificates git "$icu"
  ' >> "$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
  touch "$final.making/.complete"
  mv "$final.making" "$final"
fi
enter "$final"

say "sources of $here as they are now"
rm -rf "${folder:?}/srv/gradus"
mkdir -p "$folder/srv/gradus" "$folder/srv/shared" "$folder/srv/packages" "$folder$sdk" "$folder/root/.nuget/NuGet"
git -C "$here" ls-files -z --cached --others --exclude-standard | (cd "$here" && xargs -0 -r sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh) \
  | tar -C "$here" --null --files-from=- --create | tar -C "$folder/srv/gradus" --extract --no-same-owner
if [ -d "$here/../shared" ]; then mount --bind -o ro "$(readlink -f "$here/../shared")" "$folder/srv/shared"; fi
mount --bind -o ro "$sdk" "$folder$sdk"
# Copied, not mounted: a restore that lacks something must not write into the host's packages.
(cd "$here" && dotnet restore --locked-mode -v q --nologo tests/Gradus.Tests)
cp -au "$packages/." "$folder/srv/packages/"
cp ~/.nuget/NuGet/NuGet.Config "$folder/root/.nuget/NuGet/" 2> /dev/null || true

say "$(inside dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' 'libtorch[0-9]*' 'libopenblas0*' 'libdnnl[0-9]*' 2> /dev/null | sed -n 's/^ii *//p' | tr '\n' ' ')"
inside bash -c 'cd /srv/gradus && time bash native/build.sh'
# The SDK is mounted where the host has it; nothing of the host's own build is used.
inside bash -c "cd /srv/gradus && \"$sdk/dotnet\" build tests/Gradus.Tests -v q --nologo -p:UseSharedCompilation=false"
say "tests: $*"
results=$folder/srv/results.txt
status=0
inside bash -c 'cd /srv/gradus && exec tests/Gradus.Tests/bin/Debug/net10.0/Gradus.Tests -noColor "$@"' tests "$@" 2>&1 | tee "$results" || status=$?
if ! grep -qE 'Total: [1-9]' "$results"; then
  echo "libtorch26: no test ran" >&2
  exit 1
fi
exit "$status"
