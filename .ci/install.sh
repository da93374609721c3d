#!/bin/sh
# Installs mcplexer for one user: the program, its manual pages and its completions, below ~/.local or another directory.
#
#   sh install.sh                      the tarball beside this script
#   sh install.sh FILE-OR-ADDRESS      that tarball
#   sh install.sh --prefix DIRECTORY   below that directory; PREFIX=DIRECTORY means the same
#   sh install.sh --uninstall          removes what was installed; ~/.mcplexer stays
#
# This script knows the digest of its tarball, and unpacks no other one.
set -eu
umask 022
export LC_ALL=C
name=@NAME@
hash=@SHA256@

fail() {
    echo "error: $1" >&2
    [ $# -lt 2 ] || echo "hint: $2" >&2
    exit 1
}

prefix=${PREFIX:-${HOME:?}/.local}
uninstall=
source=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ $# -gt 1 ] || fail "--prefix needs a directory"; prefix=$2; shift ;;
        --uninstall) uninstall=1 ;;
        -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit ;;
        -*) fail "unknown option $1" "sh install.sh --help lists the options" ;;
        *) [ -z "$source" ] || fail "only one file or address can be given"; source=$1 ;;
    esac
    shift
done
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
# A line for each file (f) and each directory (d) that was created, relative to the prefix.
list=$prefix/share/mcplexer/installed

# Removes the files and then the directories of a list, unless they hold something else.
remove() {
    while read -r kind path; do
        case $path in
            /* | *..*) continue ;;
        esac
        [ "$kind" != f ] || rm -f "$prefix/$path"
    done <"$1"
    sort -r "$1" | while read -r kind path; do
        case $path in
            /* | *..*) continue ;;
        esac
        [ "$path" != . ] || path=
        [ "$kind" != d ] || rmdir "$prefix/$path" 2>/dev/null || true
    done
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$uninstall" ]; then
    [ -f "$list" ] || fail "mcplexer is not installed below $prefix" "give the directory with --prefix"
    cp "$list" "$work/list"
    rm -f "$list"
    remove "$work/list"
    echo "removed mcplexer from $prefix; your secrets stay in ~/.mcplexer"
    exit
fi

[ "$(uname -s)" = Linux ] || fail "this program is for Linux" "cargo install --path mcplexer-cli builds it for other systems"
case $name in
    *-"$(uname -m)"-*) ;;
    *) fail "this program is not for $(uname -m)" "cargo install --path mcplexer-cli builds it" ;;
esac
if [ -z "$source" ]; then
    case $0 in
        */*) source=${0%/*}/$name.tar.gz ;;
        *) source=$name.tar.gz ;;
    esac
    [ -f "$source" ] || fail "$source does not exist" "sh install.sh FILE-OR-ADDRESS takes the tarball from elsewhere"
fi

tarball=$work/tarball
case $source in
    http://* | https://*)
        if command -v curl >/dev/null; then
            curl --fail --silent --show-error --location --output "$tarball" "$source" || fail "cannot download $source"
        elif command -v wget >/dev/null; then
            wget -q -O "$tarball" "$source" || fail "cannot download $source"
        else
            fail "cannot download without curl or wget" "download $source, and give the file"
        fi
        ;;
    *) cp "$source" "$tarball" || fail "cannot read $source" ;;
esac
found=$(sha256sum "$tarball")
found=${found%% *}
[ "$found" = "$hash" ] || fail "$source has the wrong hash $found; nothing was installed" "it must be $name.tar.gz, with the hash $hash"
tar -xzf "$tarball" -C "$work"

# Creates a directory below the prefix, and writes down each one that is new.
create() {
    [ -d "$prefix/$1" ] && return
    case $1 in
        */*) create "${1%/*}" ;;
        *) mkdir -p "$prefix" ;;
    esac
    mkdir -p "$prefix/$1"
    echo "d $1" >>"$work/list"
}

replaced=
[ ! -e "$prefix/bin/mcplexer" ] || replaced=1
# Directories above the prefix are created as well, and only the user knows what else they are for: they stay, but not an empty prefix.
[ -d "$prefix" ] || echo "d ." >>"$work/list"
[ ! -f "$list" ] || sed -n '/^d /p' "$list" >>"$work/list"
(cd "$work/$name" && find . -type f | sed 's|^\./||' | sort) >"$work/files"
create share/mcplexer
while read -r file; do
    create "${file%/*}"
    echo "f $file" >>"$work/list"
    # Each file is replaced in one step, also one that is in use.
    cp "$work/$name/$file" "$prefix/$file.new.$$"
    mv -f "$prefix/$file.new.$$" "$prefix/$file"
done <"$work/files"
if [ -f "$list" ]; then
    sed -n '/^f /p' "$list" | sort >"$work/old"
    sed -n '/^f /p' "$work/list" | sort | comm -23 "$work/old" - >"$work/gone"
    remove "$work/gone"
fi
sort -u "$work/list" >"$list.new.$$"
mv -f "$list.new.$$" "$list"

echo "installed $name below $prefix"
[ -z "$replaced" ] || echo "hint: a gateway that runs is still the old one: mcplexer serve --stop ends it"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "hint: add it to your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
