#!/bin/sh
# Installs mcplexer for one user: the program, its manual pages and its completions, below ~/.local or another directory.
#
#   sh install.sh                      the tarball beside this script
#   sh install.sh FILE-OR-ADDRESS      that tarball
#   sh install.sh --prefix DIRECTORY   below that directory; PREFIX=DIRECTORY means the same
#   sh install.sh --force              replaces files that it did not install
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
force=
source=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) [ -n "${2-}" ] || fail "--prefix needs a directory"; prefix=$2; shift ;;
        --uninstall) uninstall=1 ;;
        --force) force=1 ;;
        -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit ;;
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
        # A user may have put a directory in the place of a file.
        [ "$kind" != f ] || [ -d "$prefix/$path" ] || rm -f "$prefix/$path"
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
new=
trap 'rm -rf "$work"; [ -z "$new" ] || rm -f "$new"' EXIT
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

# Refuses what cannot be installed over. Nothing has been changed then.
taken() {
    fail "$prefix/$1 $2; nothing was installed" "$3, or install elsewhere with --prefix DIRECTORY"
}

# Writes down the directories of a file that do not exist.
directories() {
    case $1 in
        */*) ;;
        *) return 0 ;;
    esac
    directories "${1%/*}"
    [ ! -d "$prefix/${1%/*}" ] || return 0
    ! is_there "${1%/*}" || taken "${1%/*}" "is not a directory" "move it away"
    echo "d ${1%/*}" >>"$work/list"
}

is_there() { [ -e "$prefix/$1" ] || [ -L "$prefix/$1" ]; }

# Copies a file to its place in one step, also over one that is in use.
place() {
    new=$prefix/$2.new.$$
    cp "$1" "$new"
    mv -f "$new" "$prefix/$2"
    new=
}

replaced=
[ ! -e "$prefix/bin/mcplexer" ] || replaced=1
(cd "$work/$name" && find . -type f | sed 's|^\./||' | sort) >"$work/files"
: >"$work/list"
: >"$work/old"
[ ! -f "$list" ] || sort -u "$list" >"$work/old"
while read -r file; do
    [ ! -d "$prefix/$file" ] || taken "$file" "is a directory" "move it away"
    directories "$file"
    if is_there "$file" && [ -z "$force" ] && ! grep -qxF "f $file" "$work/old"; then
        taken "$file" "is not from this script" "replace it with --force"
    fi
    echo "f $file" >>"$work/list"
done <"$work/files"
installed=${list#"$prefix/"}
[ ! -d "$list" ] || taken "$installed" "is a directory" "move it away"
directories "$installed"
# Directories above the prefix are created as well, and only the user knows what else they are for: they stay, but not an empty prefix.
[ -d "$prefix" ] || echo "d ." >>"$work/list"
sed -n '/^d /p' "$work/old" >>"$work/list"

# The list has the old and the new files while there may be both: --uninstall removes what an interrupted run has left.
mkdir -p "${list%/*}"
sort -u "$work/list" "$work/old" >"$work/both"
place "$work/both" "$installed"
while read -r file; do
    mkdir -p "$(dirname "$prefix/$file")"
    place "$work/$name/$file" "$file"
done <"$work/files"
sort -u "$work/list" >"$work/new"
comm -23 "$work/old" "$work/new" >"$work/gone"
remove "$work/gone"
place "$work/new" "$installed"

echo "installed $name below $prefix"
[ -z "$replaced" ] || echo "hint: a gateway that runs is still the old one: mcplexer serve --stop ends it"
case :$PATH: in
    *:"$prefix/bin":*) ;;
    # Between single quotes, a shell takes nothing but the quote for more than itself.
    *) echo "hint: add it to your PATH: export PATH='$(printf '%s\n' "$prefix/bin" | sed "s/'/'\\\\''/g")':\"\$PATH\"" ;;
esac
