# Sourced by tools/quickstart and tools/test: installs what is missing, configures and builds. Quick
# where nothing is to do.
# Debian packages need root (or sudo); Python packages go into .venv.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
jobs=${JOBS:-$(nproc)}

packages=(
  git ca-certificates cmake ninja-build ccache
  clang-22 lld-22 libc6-dev libstdc++-12-dev
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  libfmt-dev libzip-dev libzstd-dev zlib1g-dev
  python3 python3-venv
)
python_packages=(numpy==2.4.6 ml_dtypes==0.6.0)

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "error: root is needed for: $*" >&2
    exit 3
  fi
}

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
  fi
  local wanted="${python_packages[*]}"
  if [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ] || [ ! -x .venv/bin/python3 ]; then
    say "installing ${wanted} into .venv"
    rm -rf .venv
    /usr/bin/python3 -m venv .venv
    .venv/bin/python3 -m pip install --quiet --disable-pip-version-check "${python_packages[@]}"
    echo "$wanted" >.venv/installed
  fi
}

# configure PRESET FOLDER
configure() {
  if [ ! -e "$2/build.ninja" ]; then
    say "configuring $2"
    local log
    log=$(mktemp)
    cmake --preset "$1" >"$log" 2>&1 || {
      cat "$log" >&2
      echo "error: cmake --preset $1 failed" >&2
      exit 1
    }
    rm -f "$log"
  fi
}

# build FOLDER TARGET...
build() {
  local folder=$1
  shift
  say "building $* in $folder with $jobs jobs"
  NINJA_STATUS='[%f/%t %es] ' ninja -C "$folder" -j "$jobs" "$@"
}
