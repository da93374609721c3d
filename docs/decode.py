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
import re
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

    identity.private = private
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

    identity.private = raw_private(key)
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


def derive(secret, context):
    return hkdf(secret, b"", b"mcplexer-secrets/v1/" + context)


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
    pages = reader.list(lambda: (reader.take(1)[0], reader.take(1)[0], reader.take(32)))
    end = 0
    for number, bits, _ in pages:
        need(bits <= 8 and number % (256 >> bits) == 0, "the span of a page")
        need(number >= end, "the order of pages, or spans that overlap")
        end = number + (256 >> bits)
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
        self.revision, _created = reader.number(), reader.number()
        owners, _left = reader.take(32), reader.number()
        scopes, pages = reader.number(), page_refs(reader)
        self.logs = {}
        for _ in range(reader.number()):
            log, _file, _owner = reader.take(32), reader.text(), reader.text()
            need(log not in self.logs, "a log that is sealed twice")
            self.logs[log] = reader.number(), reader.number(), reader.take(32)
        said = reader.data[1 : reader.at]
        proof = reader.bytes()
        reader.end()
        reader = record(digested(meta, b"owners", owners))
        slots = reader.list(lambda: self.slot(reader))
        reader.end()
        need(len(set(slot["label"] for slot in slots)) == len(slots) <= 64, "labels")
        need(len(set(slot["recipient"] for slot in slots)) == len(slots), "recipients")
        self.owner = self.open_slot(slots, identities)
        # Empty, or the id of a move and where the store was moved to.
        moved = unseal(proof, self.root, b"\x00" + said).decode()
        self.move, _, self.moved = moved.partition(" ")
        need(not moved or (re.fullmatch("[0-9a-f]{32}", self.move) and self.moved), "a move")
        self.scopes = self.listed(b"scopes/", pages, lambda reader: (reader.bytes(), reader.take(32)))
        need(len(self.scopes) == scopes, "the number of scopes")
        need([id for id, _ in self.scopes] == sorted(self.tables["scopes"]), "a scope without its list")

    def slot(self, reader):
        label, recipient, _created = reader.text(), reader.text(), reader.number()
        holder = reader.number()
        need(holder <= 2, "a holder of another kind")
        guarded = reader.bytes() if holder == 1 else None
        _by, _at, wrapped = reader.text(), reader.number(), reader.bytes()
        claim = reader.option(lambda: (reader.number(), reader.take(32), reader.bytes()))
        return {
            "label": label,
            "recipient": recipient,
            "guarded": guarded,
            "wrapped": wrapped,
            "claim": claim,
        }

    def open_slot(self, slots, identities):
        """Finds the root key and checks the claim of the owner whose slot opened."""
        for slot in slots:
            candidates = list(identities)
            for identity in identities if slot["guarded"] else []:
                text = Age(slot["guarded"]).open(identity)
                if text is not None:
                    candidates.append(age_identity(text.decode().strip()))
            for identity in candidates:
                self.root = Age(slot["wrapped"]).open(identity)
                if self.root is not None:
                    need(len(self.root) == 32, "the root key is not 32 bytes")
                    self.check_claim(slot, identity)
                    return slot
        raise Refused("no identity opens a slot")

    def check_claim(self, slot, identity):
        need(slot["claim"], "the owner has not accepted the store")
        since, mac, sealed = slot["claim"]
        claim_key = derive(identity.private, b"\x03" + self.id + number(since))
        self.claimant = derive(identity.private, b"\x03" + self.id + number(0))[:8].hex()
        root_id = derive(self.root, b"\x06" + self.id)
        need(mac == derive(claim_key, b"\x04" + self.id + root_id), "the claim of the owner")
        place = self.id + number(self.generation) + counted(slot["recipient"].encode())
        opened = unseal(sealed, self.root, b"\x05" + place + number(since))
        need(opened == claim_key, "the sealed claim key")

    def listed(self, prefix, pages, element):
        """What is on all pages of a list, sorted; the name of each element comes first."""
        there = {key[len(prefix) :] for key in self.tables["meta"] if key.startswith(prefix)}
        need(there == {bytes([number]) for number, _, _ in pages}, "a page that is not listed")
        found = []
        for number, bits, digest in pages:
            reader = record(digested(self.tables["meta"], prefix + bytes([number]), digest))
            on_it = reader.list(lambda: element(reader))
            reader.end()
            names = [name for name, *_ in on_it]
            need(names == sorted(set(names)) != [], "the order of a page")
            for name in names:
                first = hashlib.sha256(name).digest()[0]
                need(first >> (8 - bits) == number >> (8 - bits), "something on another page")
            found += on_it
        return sorted(found)

    def scope(self, id, digest):
        place = self.id + number(self.generation) + counted(id)
        reader = record(digested(self.tables["scopes"], id, digest))
        kind = reader.number()
        need(kind < len(KINDS), "a kind of its own")
        display_name = reader.option(reader.text)
        hints = reader.list(reader.text)
        created, keep_versions = reader.number(), reader.take(1)[0]
        need(keep_versions <= 100, "too many versions to keep")
        secrets, pages = reader.number(), page_refs(reader)
        key = unseal(reader.bytes(), self.root, b"\x01" + place)
        reader.end()
        need(len(key) == 32, "a scope key is not 32 bytes")

        def entry(reader):
            name, version = reader.bytes(), reader.number()
            created, updated, revision = reader.number(), reader.number(), reader.number()
            note, expires = reader.option(reader.text), reader.option(reader.number)
            rotate_every = reader.option(reader.number)
            need(note is None or 1 <= len(note) <= 200, "the length of a note")
            need(rotate_every is None or 1 <= rotate_every <= 36500, "an interval")
            said = {"name": name.decode(), "created": time(created)}
            said |= {"note": note} if note is not None else {}
            said |= {"expires": time(expires)} if expires is not None else {}
            said |= {"rotate_every_days": rotate_every} if rotate_every is not None else {}
            return name, said, created, (version, updated, revision, reader.take(32))

        entries = self.listed(b"secrets/" + id + b"\x00", pages, entry)
        need(len(entries) == secrets, "the number of secrets")
        prefix = id + b"\x00"
        secrets = [self.secret(id, place, key, *it) for it in entries]
        there = sorted(k[len(prefix) :] for k in self.tables["secrets"] if k.startswith(prefix))
        listed = [record for _, records in secrets for record in records]
        need(there == listed, "a version that is not listed")
        return {
            "id": id.decode(),
            "kind": KINDS[kind],
            "display_name": display_name,
            "redaction_hints": hints,
            "keep_versions": keep_versions,
            "created": time(created),
            "secrets": [said for said, _ in secrets],
        }

    def secret(self, id, place, key, name, said, created, current):
        """What a backup says of a secret, and what follows the scope in the keys of its records."""

        def version(sealed, number_, updated, revision):
            context = place + counted(name) + number(number_) + number(created) + number(updated)
            value = unseal(sealed, key, b"\x02" + context)
            need(1 <= len(value) <= 1 << 20, "the length of a value")
            try:
                shown = {"text": value.decode("utf-8")}
            except UnicodeDecodeError:
                shown = {"base64": base64.b64encode(value).decode()}
            at = {"version": number_, "revision": revision, "updated": time(updated)}
            return at | {"value": shown}

        def described(reader):
            return reader.number(), reader.number(), reader.number(), reader.take(32)

        *at, digest = current
        reader = record(digested(self.tables["secrets"], id + b"\x00" + name, digest))
        sealed, listed = reader.bytes(), reader.list(lambda: described(reader))
        reader.end()
        said = said | version(sealed, *at)
        numbers = [number_ for number_, *_ in listed] + [at[0]]
        need(numbers == sorted(set(numbers)) and numbers[0] >= 1, "the order of versions")
        records, earlier = [name], []
        for *at, digest in listed:
            place_ = name + b"\x00" + at[0].to_bytes(8, "big")
            reader = record(digested(self.tables["secrets"], id + b"\x00" + place_, digest))
            earlier.append(version(reader.bytes(), *at))
            reader.end()
            records.append(place_)
        return said | ({"earlier": earlier} if earlier else {}), records

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
            is_creation = said.get("pending") and said["revision"] == 1
            if "store" in said and (said["store"] == self.id.hex() or not is_creation):
                newest = said
            before = said["hash"]
            offsets.append(offset)
            offset += len(line) + 1
        need(lines, "the log is empty")
        need(log_id in self.logs, "no seal for this log")
        line, offset, digest = self.logs[log_id]
        need(line <= len(lines) and offsets[line - 1] == offset, "the sealed line is not there")
        need(json.loads(lines[line - 1])["hash"] == digest.hex(), "the sealed line was changed")
        if newest:
            self.compare(newest, line)
        return {"lines": len(lines), "sealed": line}

    def compare(self, newest, sealed):
        """The header with the last line about a store."""
        need(newest["store"] == self.id.hex(), "the log is about another store")
        revision, generation = newest["revision"], newest["generation"]
        pending = newest.get("pending", False)
        is_cut_short = pending and sealed == newest["sealed"] and self.revision < revision
        needed = newest["line"] if pending else newest["sealed"]
        is_there = sealed >= needed and self.revision >= revision and self.generation >= generation
        need(is_there or is_cut_short, "the store is older than its log")
        if newest.get("claimant") == self.claimant:
            need(self.owner["claim"][0] >= newest["claimed"], "a former owner made the store")


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


def read_backup(file, identities):
    age = Age(file)
    opened = ((age.open(identity), identity) for identity in identities)
    plaintext, identity = next(((it, by) for it, by in opened if it is not None), (None, None))
    need(plaintext is not None, "the key does not open the backup")
    said, last = plaintext.rstrip(b"\n").rsplit(b"\n", 1)
    document, maker = json.loads(said), json.loads(last)["maker"]
    need(document["format"] == "mcplexer-backup", "not a backup")
    need(document["version"] == 1, "a backup of another version")
    store = bytes.fromhex(document["store"])
    about = b"\x08" + store + hashlib.sha256(said).digest()
    if hasattr(identity, "private"):
        keys = [
            (derive(identity.private, b"\x03" + store + number(owner["since"])), owner["mac"])
            for owner in maker["owners"]
        ]
        macs = [derive(key, about) == base64.b64decode(mac) for key, mac in keys]
        need(any(macs), "the key that opens the backup has not claimed the store that made it")
    return document


def main(what, file, key, log=None):
    if what == "store":
        with open(0 if file == "-" else file) as records:
            store = Store(json.load(records), identities(key))
        document = store.document()
        if log:
            document["audit"] = store.verify_log(open(log, "rb").read())
    else:
        document = read_backup(open(file, "rb").read(), identities(key))
    json.dump(document, sys.stdout, ensure_ascii=True)
    print()


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in ("store", "backup"):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Refused as refused:
        sys.exit(f"refused: {refused}")
