#!/bin/sh
# Make sure that the browser tests have a Chromium: the system's own, or one that is installed here.
set -eu
python=$1
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    echo "browser tests use $(command -v "$name")"
    exit 0
  fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing Chromium with apt"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=500 install -y \
    --no-install-recommends chromium fonts-dejavu-core >/dev/null
  exit 0
fi
echo "installing Playwright's own Chromium"
"$python" -m playwright install chromium
