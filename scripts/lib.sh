# Shared by scripts/*: the virtual environment and the browser. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

find_python() {
  local python
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null &&
      "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
  die "wsstream needs Python 3.11 or newer, and found none on the PATH"
}

# ensure_venv EXTRAS: .venv with this checkout and its extras in it; quick when nothing changed.
ensure_venv() {
  local extras=$1 stamp
  stamp="$extras $(cksum <"$root/pyproject.toml") $root"
  [ -f "$venv/stamp-$extras" ] && [ "$(cat "$venv/stamp-$extras")" = "$stamp" ] && return
  local python
  python=$(find_python)
  say "setting up $venv with $("$python" --version) (once)"
  [ -x "$venv/bin/pip" ] || "$python" -m venv "$venv" ||
    die "no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -e "$root[$extras]" ||
    die "the dependencies could not be installed: see the lines above"
  printf '%s' "$stamp" >"$venv/stamp-$extras"
}

# apt_install PACKAGE...: install where that is allowed; 1 where it is not.
apt_install() {
  command -v apt-get >/dev/null || return 1
  local sudo=()
  [ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && sudo=(sudo -n); } || return 1
  say "installing $* with apt-get (once)"
  "${sudo[@]}" apt-get update -qq >/dev/null &&
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq "$@" >/dev/null
}

# ensure_browser VARIABLE PACKAGE COMMAND...: a browser for its tests; its path in $VARIABLE.
ensure_browser() {
  local variable=$1 package=$2 name try
  shift 2
  for try in found installed; do
    for name in "${!variable:-}" "$@"; do
      [ -n "$name" ] && command -v "$name" >/dev/null && {
        printf -v "$variable" '%s' "$(command -v "$name")"
        export "${variable?}"
        return
      }
    done
    [ "$try" = found ] && { apt_install "$package" || break; }
  done
  die "the browser tests need $package: install it, or name one with $variable=/path/to/it"
}

ensure_chromium() {
  ensure_browser CHROMIUM chromium chromium chromium-browser google-chrome google-chrome-stable
}

ensure_firefox() {
  ensure_browser FIREFOX firefox-esr firefox-esr firefox
}

# ensure_gstreamer: a player that is no browser; its test is skipped, with the reason, where it cannot
# be had.
ensure_gstreamer() {
  local python=/usr/bin/python3
  "$python" -c 'import gi; gi.require_version("GstWebRTC", "1.0")' 2>/dev/null && return
  apt_install gstreamer1.0-plugins-{base,good,bad} gstreamer1.0-nice \
    gir1.2-gst-plugins-bad-1.0 python3-gi ||
    say "without GStreamer and its Python bindings the test with it is skipped"
}

# ensure_network_tools: what the tests behind firewalls and on bad links need; they are skipped, with
# the reason, where it cannot be had.
ensure_network_tools() {
  command -v ip >/dev/null && command -v nft >/dev/null && command -v turnserver >/dev/null && return
  apt_install iproute2 nftables coturn ||
    say "without iproute2, nftables and coturn the tests in network namespaces are skipped"
}
