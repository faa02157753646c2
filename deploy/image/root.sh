#!/bin/sh
# root.sh ROOT: the root folder of the image, of which a build has made ROOT/app. Run from the checkout after
# `npm ci`. What is in it: the program, its libraries from npm, Node, and the shared objects that Node loads.
set -eu
root=$1
mkdir -p "$root/etc" "$root/tmp" "$root/usr/local/bin"
chmod 1777 "$root/tmp"

# Libraries alone, by the same lock file: no tools, and not the package that brings Node.
libraries=$(mktemp -d)
cp package.json package-lock.json "$libraries"
(cd "$libraries" && npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error)
rm -rf "$root/app/node_modules"
mv "$libraries/node_modules" "$root/app/node_modules"
rm -rf "$libraries" "$root/app/node_modules/.bin" "$root/app/node_modules/.package-lock.json"
find "$root/app/node_modules" -type f \( -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' -o -name '*.map' -o -name '*.md' \) -delete

node=$(find node_modules/node-linux-*/bin -name node -type f | head -1)
cp "$node" "$root/usr/local/bin/node"
chmod 755 "$root/usr/local/bin/node"
# "name => /path (address)", or the loader, which has no arrow.
ldd "$node" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

printf 'root:x:0:0::/:/sbin/nologin\nheadgate:x:65532:65532::/tmp:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nheadgate:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
