#!/usr/bin/env bash
# Sees to it that there is a Chromium for the browser tests: the one that CHROMIUM names, an installed one, or Debian's.
set -euo pipefail

for browser in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
  if [ -n "$browser" ] && [ -x "$browser" ]; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
else
  echo 'The browser tests need Chromium: install it, or name one in CHROMIUM.' >&2
  exit 1
fi
