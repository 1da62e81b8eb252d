#!/bin/sh
# Fills the placeholders of the shared configuration in, and becomes Asterisk.
set -eu
: "${ARI_PASSWORD:?is needed}"
etc=/etc/asterisk
libraries=/usr/lib/$(uname -m)-linux-gnu
rm -rf "${etc:?}"/*
cp -r /usr/share/ringline/lab/. "$etc"
cp -r /usr/share/ringline/ringline "$etc/ringline"

fill() {
  find "$etc" -name '*.conf' -exec sed -i "s|@$1@|$2|g" {} +
}
case $ARI_PASSWORD in *[!A-Za-z0-9_-]*) echo 'ARI_PASSWORD may hold letters, digits, _ and - only' >&2 && exit 1 ;; esac
fill ETC_DIR "$etc"
fill MODULE_DIR "$libraries/asterisk/modules"
fill DATA_DIR /usr/share/asterisk
fill VAR_DIR /var/lib/asterisk
fill SPOOL_DIR /var/spool/asterisk
fill RUN_DIR /run/asterisk
fill LOG_DIR /var/log/asterisk
fill ARI_PASSWORD "$ARI_PASSWORD"
fill HTTP_ADDRESS 0.0.0.0
fill HTTP_PORT 8088
fill SIP_ADDRESS 0.0.0.0
fill SIP_PORT 5060
fill TRUNK_HOST "${TRUNK_HOST:-127.0.0.1}"
fill TRUNK_PORT "${TRUNK_PORT:-5060}"
fill TRUNK2_PORT "${TRUNK2_PORT:-5062}"
fill TRUNK_DOWN_PORT "${TRUNK_DOWN_PORT:-5063}"
if grep -rn '@[A-Z0-9_]*@' "$etc" >&2; then
  echo 'a placeholder of the configuration has no value' >&2
  exit 1
fi
mkdir -p /var/log/asterisk/cel-custom
exec asterisk -f -C "$etc/asterisk.conf"
