#!/usr/bin/env bash
# Installs the libraries that draw pictures without a display, where apt can. Elsewhere says what is missing and
continues:
# everything but videos and pictures works without them.
set -euo pipefail

command -v dpkg-query > /dev/null && command -v apt-get > /dev/null || exit 0

missing=()
for package in libosmesa6 libegl1 libgl1; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=()
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
  as_root=(sudo -n)
else
  echo "No pictures or videos without ${missing[*]}. To have them: sudo apt-get install ${missing[*]}" >&2
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}")
{ "${as_root[@]}" apt-get update -qq && "${install[@]}"; } > /dev/null \
  || echo "apt-get could not install ${missing[*]}: no pictures or videos until it does. Going on without." >&2
