#!/bin/sh
# Each npm command runs this first. It installs the packages that bun.lock names, or explains why it can't. It sets
# npm's log level itself: with that of `npm run --silent` from the environment, npx would fail without a message.
version=1.4.5
install="install --frozen-lockfile"
export npm_config_loglevel=error

bun=node_modules/.bin/bun
# A failure prints nothing here: the installation below repeats it with its messages.
if [ -x "$bun" ] && "$bun" $install --silent 2>/dev/null; then exit 0; fi
echo "Installing Bun $version and the packages that bun.lock names." >&2

if [ "$(bun --version 2>/dev/null)" = "$version" ]; then
  bun $install && exit 0
elif ! command -v npx >/dev/null; then
  echo "npx, which comes with Node and npm, or Bun $version must be on the PATH (got \"$PATH\")." >&2
  exit 1
else
  cache=$(npm config get cache)
  if ! mkdir -p "$cache" 2>/dev/null || ! [ -w "$cache" ]; then
    echo "npm's cache must be a folder that this user may write (got \"$cache\"): set HOME to a folder of this user, or npm_config_cache to another folder." >&2
    exit 1
  fi
  if problem=$(npx --yes "bun@$version" --version 2>&1 >/dev/null); then
    npx --yes "bun@$version" $install && exit 0
  else
    # Without the stack trace.
    printf '%s\n' "$problem" | grep -Ev '^npm error( {2,}.*| *\}| *)$' >&2
  fi
fi
cat >&2 <<'END'

The installation failed; the lines above say why. Most often the package registry can't be reached: `npm ping` asks it.
Behind a proxy, set https_proxy. `npm config set registry URL` chooses another registry. Then run the command again.
END
exit 1
