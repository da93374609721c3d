#!/usr/bin/env python3
"""Reads a store, or a backup, from docs/format.md and docs/backup.md alone.

    cargo run -p mcplexer-secrets --example dump_records HOME/secrets.redb > records.json
    docs/decode.py store records.json HOME/age.key [HOME/audit.log]
    docs/decode.py backup secrets.age HOME/age.key

The records come as they lie in the redb file, in hex; what they say is found out here. Instead of an age
key file there may be an SSH private key (ssh-ed25519, without a passphrase), code:FILE with a recovery
code or passphrase:FILE with a passphrase. It prints what docs/backup.md describes: the scopes and their
secrets. Anything that does not fit is an error, and nothing is printed.

Needs the package cryptography. It is written to be read beside the documents, not to be fast.
"""

import base64
import hashlib
import hmac
import json
import sys
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


class Refused(Exception):
    """Something is not as the documents say."""


def need(condition, what):
    if not condition:
        raise Refused(what)


# --- RFC 5869, RFC 8439, RFC 4648, BIP 173 and BIP 350 ---------------------------------------------


def hkdf(ikm, salt, info):
    pseudo_random_key = hmac.digest(salt or bytes(32), ikm, "sha256")
    return hmac.digest(pseudo_random_key, info + b"\x01", "sha256")


def aead_open(key, nonce, ciphertext):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, None)
    except InvalidTag:
        return None


def unpadded(text):
    data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    need(base64.b64encode(data).decode().rstrip("=") == text, "base64 is not canonical")
    return data


ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32, BECH32M = 1, 0x2BC830A3


def bech32(text, checksum):
    """The human-readable part and the bytes."""
    need(text == text.lower() or text == text.upper(), "Bech32 in mixed case")
    prefix, _, data = text.lower().rpartition("1")
    values = [ALPHABET.index(character) for character in data]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values
    polymod = 1
    for value in expanded:
        top = polymod >> 25
        polymod = (polymod & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            polymod ^= generator if top >> bit & 1 else 0
    need(polymod == checksum, "Bech32 checksum")
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    bits = 5 * len(values[:-6])
    return prefix, (number >> bits % 8).to_bytes(bits // 8, "big")


# --- age, version 1 --------------------------------------------------------------------------------


class Age:
    """An age file, taken apart: https://age-encryption.org/v1"""

    def __init__(self, file):
        lines, at = [], 0
        while not (lines and lines[-1].startswith("---")):
            end = file.index(b"\n", at)
            lines.append(file[at:end].decode("ascii"))
            at = end + 1
        need(lines[0] == "age-encryption.org/v1", "not an age file")
        self.stanzas, body = [], None
        for line in lines[1:-1]:
            if line.startswith("-> "):
                need(body is None, "a stanza ends early")
                arguments, body = line[3:].split(" "), ""
                continue
            need(body is not None and len(line) <= 64, "not a stanza")
            body += line
            if len(line) < 64:
                self.stanzas.append((arguments, unpadded(body)))
                body = None
        need(body is None, "a stanza ends early")
        self.mac = unpadded(lines[-1].removeprefix("--- "))
        self.signed = file[: at - len(lines[-1]) - 1] + b"---"
        self.payload = file[at:]

    def open(self, identity):
        """The plaintext, or None if this identity opens no stanza."""
        for arguments, body in self.stanzas:
            file_key = identity(arguments, body)
            if file_key is not None:
                return self.opened_with(file_key)
        return None

    def opened_with(self, file_key):
        mac = hmac.digest(hkdf(file_key, b"", b"header"), self.signed, "sha256")
        need(hmac.compare_digest(mac, self.mac), "the header's MAC")
        key = hkdf(file_key, self.payload[:16], b"payload")
        chunks, plaintext = self.payload[16:], b""
        count = max(1, -(-len(chunks) // (65536 + 16)))
        for number in range(count):
            chunk = chunks[number * (65536 + 16) : (number + 1) * (65536 + 16)]
            nonce = number.to_bytes(11, "big") + bytes([number == count - 1])
            opened = aead_open(key, nonce, chunk)
            need(opened is not None, "the payload")
            need(opened or count == 1, "an empty last chunk")
            plaintext += opened
        return plaintext


def raw_public(key):
    """The bytes of a private key's public key; public_bytes_raw does this from cryptography 40 on."""
    raw = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return key.public_key().public_bytes(*raw)


def raw_private(key):
    raw = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw)
    return key.private_bytes(*raw, serialization.NoEncryption())


def x25519(private):
    """The identity of an X25519 private key."""
    key = X25519PrivateKey.from_private_bytes(private)
    public = raw_public(key)

    def identity(arguments, body):
        if arguments[0] != "X25519":
            return None
        share = unpadded(arguments[1])
        shared = key.exchange(X25519PublicKey.from_public_bytes(share))
        wrap_key = hkdf(shared, share + public, b"age-encryption.org/v1/X25519")
        return aead_open(wrap_key, bytes(12), body)

    return identity


def passphrase(text):
    def identity(arguments, body):
        if arguments[0] != "scrypt":
            return None
        salt = b"age-encryption.org/v1/scrypt" + unpadded(arguments[1])
        work = 1 << int(arguments[2])
        key = hashlib.scrypt(text, salt=salt, n=work, r=8, p=1, dklen=32, maxmem=work * 1100)
        return aead_open(key, bytes(12), body)

    return identity


def ssh_ed25519(file):
    key = serialization.load_ssh_private_key(file, None)
    public = raw_public(key)
    wire = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", public))
    scalar = hashlib.sha512(raw_private(key)).digest()[:32]
    # The Montgomery form of the public key (RFC 7748, section 4.1): u = (1 + y) / (1 - y).
    prime = 2**255 - 19
    y = int.from_bytes(public, "little") & (2**255 - 1)
    montgomery = ((1 + y) * pow(1 - y, -1, prime) % prime).to_bytes(32, "little")
    label = b"age-encryption.org/v1/ssh-ed25519"
    tweak = X25519PrivateKey.from_private_bytes(hkdf(b"", wire, label))

    def identity(arguments, body):
        tag = base64.b64encode(hashlib.sha256(wire).digest()[:4]).decode().rstrip("=")
        if arguments[:2] != ["ssh-ed25519", tag]:
            return None
        share = unpadded(arguments[2])
        shared = X25519PrivateKey.from_private_bytes(scalar).exchange(
            X25519PublicKey.from_public_bytes(share)
        )
        shared = tweak.exchange(X25519PublicKey.from_public_bytes(shared))
        wrap_key = hkdf(shared, share + montgomery, label)
        return aead_open(wrap_key, bytes(12), body)

    return identity


# --- docs/format.md: Encoding ----------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "a record ends early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self):
        number, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def bytes(self):
        return self.take(self.number())

    def text(self):
        return self.bytes().decode("utf-8")

    def option(self, read):
        there = self.take(1)[0]
        need(there in (0, 1), "an option is neither there nor not")
        return read() if there else None

    def list(self, read):
        return [read() for _ in range(self.number())]

    def end(self):
        need(self.at == len(self.data), "a record goes on after its last field")


def record(data):
    """A reader of a record, past its format version."""
    reader = Reader(data)
    version = reader.take(1)[0]
    need(version <= 1, f"format version {version} is later than 1")
    need(version == 1, "format version 0")
    return reader


# --- docs/format.md: Sealing -----------------------------------------------------------------------


def unseal(sealed, parent, context):
    def identity(arguments, body):
        if arguments[0] != "mcplexer-seal":
            return None
        wrap_key = hkdf(parent, unpadded(arguments[1]), b"mcplexer-secrets/v1/" + context)
        return aead_open(wrap_key, bytes(12), body)

    opened = Age(sealed).open(identity)
    need(opened is not None, "something sealed does not open in its place")
    return opened


# --- docs/format.md: Tables, and Reading -----------------------------------------------------------

KINDS = ["env", "header", "oauth2"]


def time(microseconds):
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=microseconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def number(value):
    """LEB128."""
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def counted(data):
    return number(len(data)) + data


def digested(table, key, digest):
    """A record that another one vouches for."""
    need(key in table, "a record is missing")
    need(hashlib.sha256(table[key]).digest() == digest, "a record is not the one that was written")
    return table[key]


def page_refs(reader):
    pages = reader.list(lambda: (reader.take(1)[0], reader.take(32)))
    numbers = [number for number, _ in pages]
    need(numbers == sorted(set(numbers)), "the order of pages")
    return pages


class Store:
    def __init__(self, tables, identities):
        self.tables = {
            name: {bytes.fromhex(key): bytes.fromhex(data) for key, data in records.items()}
            for name, records in tables.items()
        }
        meta = self.tables["meta"]
        need(b"header" in meta, "no header")
        reader = record(meta[b"header"])
        self.id, self.generation = reader.take(16), reader.number()
        _revision, _created = reader.number(), reader.number()
        owners, scopes, pages = reader.take(32), reader.number(), page_refs(reader)
        self.logs = {}
        for _ in range(reader.number()):
            log, _file = reader.take(32), reader.text()
            need(log not in self.logs, "a log that is sealed twice")
            self.logs[log] = reader.number(), reader.number(), reader.take(32)
        said = reader.data[1 : reader.at]
        proof = reader.bytes()
        reader.end()
        reader = record(digested(meta, b"owners", owners))
        slots = reader.list(lambda: self.slot(reader))
        reader.end()
        need(len(set(slot[0] for slot in slots)) == len(slots) <= 64, "labels")
        need(len(set(slot[1] for slot in slots)) == len(slots), "recipients")
        self.root = self.root_key(slots, identities)
        need(unseal(proof, self.root, b"\x00" + said) == b"", "the proof of the header")
        self.scopes = self.listed(b"scopes/", pages, lambda reader: (reader.bytes(), reader.take(32)))
        need(len(self.scopes) == scopes, "the number of scopes")
        need([id for id, _ in self.scopes] == sorted(self.tables["scopes"]), "a scope without its list")

    def slot(self, reader):
        label, recipient, _created = reader.text(), reader.text(), reader.number()
        holder = reader.number()
        need(holder <= 2, "a holder of another kind")
        guarded = reader.bytes() if holder == 1 else None
        return label, recipient, guarded, reader.bytes()

    def root_key(self, slots, identities):
        for _label, _recipient, guarded, wrapped in slots:
            candidates = list(identities)
            for identity in identities if guarded else []:
                text = Age(guarded).open(identity)
                if text is not None:
                    candidates.append(age_identity(text.decode().strip()))
            for identity in candidates:
                root = Age(wrapped).open(identity)
                if root is not None:
                    need(len(root) == 32, "the root key is not 32 bytes")
                    return root
        raise Refused("no identity opens a slot")

    def listed(self, prefix, pages, element):
        """What is on all pages of a list, sorted; the name of each element comes first."""
        there = {key[len(prefix) :] for key in self.tables["meta"] if key.startswith(prefix)}
        need(there == {bytes([number]) for number, _ in pages}, "a page that is not listed")
        found = []
        for number, digest in pages:
            reader = record(digested(self.tables["meta"], prefix + bytes([number]), digest))
            on_it = reader.list(lambda: element(reader))
            reader.end()
            names = [name for name, *_ in on_it]
            need(names == sorted(set(names)) != [], "the order of a page")
            for name in names:
                need(hashlib.sha256(name).digest()[0] == number, "something on another page")
            found += on_it
        return sorted(found)

    def scope(self, id, digest):
        place = self.id + number(self.generation) + counted(id)
        reader = record(digested(self.tables["scopes"], id, digest))
        kind = reader.number()
        need(kind < len(KINDS), "a kind of its own")
        display_name = reader.option(reader.text)
        hints = reader.list(reader.text)
        created, secrets, pages = reader.number(), reader.number(), page_refs(reader)
        key = unseal(reader.bytes(), self.root, b"\x01" + place)
        reader.end()
        need(len(key) == 32, "a scope key is not 32 bytes")

        def entry(reader):
            start = reader.at
            name, version = reader.bytes(), reader.number()
            times = reader.number(), reader.number()
            return name, version, times, reader.data[start : reader.at], reader.take(32)

        entries = self.listed(b"secrets/" + id + b"\x00", pages, entry)
        need(len(entries) == secrets, "the number of secrets")
        prefix = id + b"\x00"
        there = [k[len(prefix) :] for k in self.tables["secrets"] if k.startswith(prefix)]
        need(sorted(there) == [name for name, *_ in entries], "a secret without its entry, or the reverse")
        return {
            "id": id.decode(),
            "kind": KINDS[kind],
            "display_name": display_name,
            "redaction_hints": hints,
            "created": time(created),
            "secrets": [self.secret(prefix, place, key, *it) for it in entries],
        }

    def secret(self, prefix, place, key, name, version, times, entry, digest):
        reader = record(digested(self.tables["secrets"], prefix + name, digest))
        value = unseal(reader.bytes(), key, b"\x02" + place + entry)
        reader.end()
        need(1 <= len(value) <= 1 << 20, "the length of a value")
        try:
            shown = {"text": value.decode("utf-8")}
        except UnicodeDecodeError:
            shown = {"base64": base64.b64encode(value).decode()}
        return {
            "name": name.decode(),
            "version": version,
            "created": time(times[0]),
            "updated": time(times[1]),
            "value": shown,
        }

    def document(self):
        scopes = [self.scope(id, digest) for id, digest in self.scopes]
        prefixes = tuple(id + b"\x00" for id, _ in self.scopes)
        need(all(k.startswith(prefixes) for k in self.tables["secrets"]), "a secret of no scope")
        return {"store": self.id.hex(), "scopes": scopes}

    # --- docs/format.md: Audit log -----------------------------------------------------------------

    def verify_log(self, log):
        lines = log.split(b"\n")[:-1]
        offsets, offset, before, newest = [], 0, None, None
        for count, line in enumerate(lines, 1):
            said = json.loads(line)
            content = line[: line.rindex(b',"hash":')]
            need(hashlib.sha256(content).hexdigest() == said["hash"], f"line {count}: its hash")
            need(said["line"] == count, f"line {count}: its number")
            need(before in (None, said["prev"]), f"line {count}: its predecessor")
            if count == 1:
                log_id = bytes.fromhex(said["prev"])
            if said.get("store") == self.id.hex():
                newest = said
            before = said["hash"]
            offsets.append(offset)
            offset += len(line) + 1
        need(lines, "the log is empty")
        need(log_id in self.logs, "no seal for this log")
        line, offset, digest = self.logs[log_id]
        need(line <= len(lines) and offsets[line - 1] == offset, "the sealed line is not there")
        need(json.loads(lines[line - 1])["hash"] == digest.hex(), "the sealed line was changed")
        need(newest and line in (newest["line"], newest["sealed"]), "the store is older than its log")
        return {"lines": len(lines), "sealed": line}


def age_identity(text):
    prefix, private = bech32(text, BECH32)
    need(prefix == "age-secret-key-" and len(private) == 32, "not an age identity")
    return x25519(private)


def identities(name):
    kind, _, path = name.partition(":")
    if kind == "passphrase":
        return [passphrase(open(path, "rb").read().rstrip(b"\n"))]
    if kind == "code":
        code = open(path).read().strip().replace("-", "")
        _, entropy = bech32("mcplexer1" + code.lower(), BECH32M)
        need(len(entropy) == 16, "a recovery code is 16 bytes")
        return [x25519(hkdf(entropy, b"", b"mcplexer-secrets/v1/recovery"))]
    file = open(name, "rb").read()
    if file.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----"):
        return [ssh_ed25519(file)]
    lines = [line.strip() for line in file.decode().splitlines()]
    return [age_identity(line) for line in lines if line and not line.startswith("#")]


def main(what, file, key, log=None):
    if what == "store":
        with open(0 if file == "-" else file) as records:
            store = Store(json.load(records), identities(key))
        document = store.document()
        if log:
            document["audit"] = store.verify_log(open(log, "rb").read())
    else:
        age = Age(open(file, "rb").read())
        plaintexts = (age.open(identity) for identity in identities(key))
        plaintext = next((it for it in plaintexts if it is not None), None)
        need(plaintext is not None, "the key does not open the backup")
        document = json.loads(plaintext)
        need(document["format"] == "mcplexer-backup", "not a backup")
        need(document["version"] == 1, "a backup of another version")
    json.dump(document, sys.stdout, ensure_ascii=True)
    print()


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in ("store", "backup"):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
