#!/bin/sh
# Regenerates the C messages from plugin.proto with Debian's protoc-c (protobuf-c-compiler 1.4.1).
#
# Usage: proto/generate.sh [DIRECTORY]
# Without a directory the committed code is replaced.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$here/../Sources/PluginProtocol/CMessages}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
protoc-c --proto_path="$here" --c_out="$made" plugin.proto
mkdir -p "$to/include"
mv "$made/plugin.pb-c.h" "$to/include/"
mv "$made/plugin.pb-c.c" "$to/"
