#!/bin/sh
# Does what the README tells a newcomer, in a fresh Debian 12 without anything else installed: tools/newcomer.sh ROOT
# ROOT is made by debootstrap where it is not there (400 MB; 5 GB when all is installed) and kept. Needs root. What is
# tried is the last commit. Certificates and settings of pip of this machine are taken along, for who is behind a proxy.
set -eu
root=${1:?say where the fresh root is to be: tools/newcomer.sh ROOT}
here=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "chroot needs root"; exit 1; }
if [ ! -d "$root/usr" ]; then
  command -v debootstrap >/dev/null || { echo "apt-get install debootstrap"; exit 1; }
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" http://deb.debian.org/debian
fi
for each in /etc/ssl/certs/ca-certificates.crt /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/xdg/pip; do
  [ ! -e "$each" ] || { mkdir -p "$root$(dirname "$each")" && cp -rLT "$each" "$root$each"; }
done
wheels=${PIP_FIND_LINKS:-}
[ ! -d "$wheels" ] || { mkdir -p "$root$wheels" && cp -r "$wheels/." "$root$wheels"; }
for each in proc sys dev; do
  mountpoint -q "$root/$each" || mount --rbind "/$each" "$root/$each"
  mount --make-rslave "$root/$each"
done
trap 'chroot "$root" sh -c "cd /root/wherefore && make down" || true
      for each in proc sys dev; do umount -R -l "$root/$each"; done' EXIT
rm -rf "$root/root/wherefore" "$root/src.bundle"
git -C "$here" bundle create -q "$root/src.bundle" HEAD
cat >"$root/root/path.sh" <<'PATH_OF_A_NEWCOMER'
set -eux
apt-get update -qq
apt-get install -y -qq git make python3-venv libpython3.11 >/dev/null
cd /root
git -c advice.detachedHead=false clone -q /src.bundle wherefore
cd wherefore
make up
export PATH=$PWD/.venv/bin:$PATH
wherefore search "wireless headphones under 300" --page-size 3
wherefore status
python - <<'PAGES'
from urllib.request import urlopen
for page in ("", "chat", "monitor", "pictures"):
    assert b"Wherefore" in urlopen(f"http://localhost:7780/{page}").read(), page
PAGES
git status --short
PATH_OF_A_NEWCOMER
chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
  SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
  PIP_DEFAULT_TIMEOUT="${PIP_DEFAULT_TIMEOUT:-60}" ${wheels:+PIP_FIND_LINKS="$wheels"} bash /root/path.sh
