#!/usr/bin/env bash
# Installs Debian's Chromium and fonts for the browser tests when they are missing.
set -euo pipefail
have_fonts() { command -v fc-list >/dev/null && fc-list | grep -qi "noto.*cjk"; }
if command -v chromium >/dev/null && have_fonts; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "Browser tests need 'chromium' on the PATH; this system has no apt-get to install it with." >&2
  exit 1
fi
root=""; [ "$(id -u)" = 0 ] || root="sudo"
$root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk fontconfig >/dev/null
