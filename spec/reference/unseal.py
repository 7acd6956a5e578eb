#!/usr/bin/env python3
"""unseal.py ARCHIVE [--passphrase-file FILE | --key-file FILE] > out.tar.zst

An independent reader of Sealift archives, version 1, written from spec/archive-v1.md alone. It checks the header, every
tag, the order of the chunks, the footer and that the index is there, and writes the payload as a .tar.zst:

    unseal.py archive.sealift --key-file key | zstd -d | tar x && sha256sum -c SHA256SUMS

It needs Debian's python3-cryptography and python3-argon2; the index is checked with the `zstd` program.
Exit codes: 0 all is well, 1 refused (standard error says why; what was written before is authentic), 2 usage.
"""
import argparse
import base64
import hashlib
import hmac
import json
import re
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import mlkem768

MAGIC, END_MAGIC = b"\x89SLFT\r\n\x1a", b"SLFTEND\n"
HEADER_KEYS = ["format", "id", "created_at", "writer", "cipher", "compression", "chunk_size", "slots"]
SLOT_KEYS = {
    "passphrase": ["type", "kdf", "version", "memory_kib", "passes", "lanes", "salt", "nonce", "key"],
    "recipient": ["type", "kem", "id", "ciphertext", "nonce", "key"],
}
DATA, INDEX, END = 0, 1, 2


class Refused(Exception):
    """The archive is not to be trusted, or not for this key."""


def need(condition, code, text):
    if not condition:
        raise Refused(f"{code}: {text}")


def hkdf(secret, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def base64_field(slot, name, size):
    text = slot[name]
    try:
        data = base64.b64decode(text, validate=True)
        need(base64.b64encode(data).decode() == text and len(data) == size, "HEADER_INVALID", f"{name} of a slot")
    except (ValueError, TypeError) as error:
        raise Refused(f"HEADER_INVALID: {name} of a slot") from error
    return data


def integer_field(value, low, high, name):
    need(type(value) is int and low <= value <= high, "HEADER_INVALID", f"{name} is {value!r}")


# --- the header (section 3) ---


def read_header(data):
    need(data[:8] == MAGIC[: len(data)], "NOT_AN_ARCHIVE", "the first bytes are not Sealift's")
    need(len(data) >= 12, "ARCHIVE_CUT", f"at byte {len(data)}")
    (length,) = struct.unpack_from("<I", data, 8)
    need(2 <= length <= 65536, "HEADER_INVALID", f"its length is {length}")
    need(len(data) >= 12 + length + 32, "ARCHIVE_CUT", f"at byte {len(data)}")
    text = data[12 : 12 + length]
    try:
        header = json.loads(text.decode("utf-8"))
        again = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Refused(f"HEADER_INVALID: {error}") from error
    need(type(header) is dict, "HEADER_INVALID", "it is not an object")
    if type(header.get("format")) is int and header["format"] > 1:
        raise Refused(f"ARCHIVE_TOO_NEW: format {header['format']}")
    # One spelling only: this also refuses duplicate keys, of which Python's JSON keeps the last.
    need(again == text and list(header) == HEADER_KEYS, "HEADER_INVALID", "not in the one spelling")
    need(type(header["format"]) is int and header["format"] == 1, "HEADER_INVALID", "format")
    patterns = {"id": r"[0-9a-f]{32}", "writer": r"[ -~]{1,128}", "cipher": "aes-256-gcm", "compression": "zstd|none"}
    patterns["created_at"] = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
    for name, pattern in patterns.items():
        value = header[name]
        need(type(value) is str and re.fullmatch(pattern, value, re.ASCII), "HEADER_INVALID", name)
    month, day = int(header["created_at"][5:7]), int(header["created_at"][8:10])
    year = int(header["created_at"][:4])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    need(day <= [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1], "HEADER_INVALID", "created_at")
    integer_field(header["chunk_size"], 65536, 16777216, "chunk_size")
    need(header["chunk_size"] & (header["chunk_size"] - 1) == 0, "HEADER_INVALID", "chunk_size")
    slots = header["slots"]
    need(type(slots) is list and 1 <= len(slots) <= 16, "HEADER_INVALID", "slots")
    for slot in slots:
        check_slot(slot)
    return header, data[: 12 + length], data[12 + length : 12 + length + 32]


def check_slot(slot):
    need(type(slot) is dict and type(slot.get("type")) is str, "HEADER_INVALID", "a slot without a type")
    need(re.fullmatch(r"[a-z0-9-]{1,32}", slot["type"], re.ASCII), "HEADER_INVALID", "the type of a slot")
    if slot["type"] not in SLOT_KEYS:
        return
    need(list(slot) == SLOT_KEYS[slot["type"]], "HEADER_INVALID", "the keys of a slot")
    sizes = {"nonce": 12, "key": 48}
    if slot["type"] == "passphrase":
        sizes["salt"] = 16
        need(slot["kdf"] == "argon2id" and slot["version"] == 19, "HEADER_INVALID", "kdf of a slot")
        integer_field(slot["lanes"], 1, 8, "lanes")
        integer_field(slot["memory_kib"], 8 * slot["lanes"], 1048576, "memory_kib")
        integer_field(slot["passes"], 1, 16, "passes")
    else:
        sizes.update({"id": 8, "ciphertext": 1120})
        need(slot["kem"] == "x-wing", "HEADER_INVALID", "kem of a slot")
    for name, size in sizes.items():
        base64_field(slot, name, size)


# --- keys (3.1, 3.2) ---


def open_slot(slot, archive_id, passphrase, seed):
    """The file key, or None where this is not the key of this slot."""
    if slot["type"] == "passphrase" and passphrase is not None:
        from argon2.low_level import Type, hash_secret_raw

        secret = unicodedata.normalize("NFC", passphrase).encode("utf-8")
        cost = {"time_cost": slot["passes"], "memory_cost": slot["memory_kib"], "parallelism": slot["lanes"]}
        salt = base64_field(slot, "salt", 16)
        kek = hash_secret_raw(secret, salt, hash_len=32, type=Type.ID, version=19, **cost)
    elif slot["type"] == "recipient" and seed is not None:
        shared = xwing_decapsulate(seed, base64_field(slot, "id", 8), base64_field(slot, "ciphertext", 1120))
        if shared is None:
            return None
        kek = hkdf(shared, archive_id, b"sealift/v1/slot/recipient")
    else:
        return None
    aad = b"sealift/v1/slot/" + slot["type"].encode() + archive_id
    try:
        return AESGCM(kek).decrypt(base64_field(slot, "nonce", 12), base64_field(slot, "key", 48), aad)
    except InvalidTag:
        return None


def xwing_decapsulate(seed, key_id, ciphertext):
    expanded = hashlib.shake_256(seed).digest(96)
    private = X25519PrivateKey.from_private_bytes(expanded[64:])
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    public = private.public_key().public_bytes(*raw)
    if hashlib.sha256(mlkem768.expand(expanded[:32])[1] + public).digest()[:8] != key_id:
        return None
    inner = mlkem768.decapsulate(expanded[:32], expanded[32:64], ciphertext[:1088])
    outer = private.exchange(X25519PublicKey.from_public_bytes(ciphertext[1088:]))
    return hashlib.sha3_256(inner + outer + ciphertext[1088:] + public + b"\\.//^\\").digest()


def parse_secret(text):
    prefix = "SEALIFT-SECRET-V1:"
    data = base64.urlsafe_b64decode(text.strip()[len(prefix) :] + "==") if text.startswith(prefix) else b""
    good = len(data) == 36 and hashlib.sha256(data[:32]).digest()[:4] == data[32:]
    need(good, "KEY_INVALID", "that is no Sealift secret key")
    return data[:32]


def payload_key(header, signed, mac, passphrase, seed):
    archive_id = bytes.fromhex(header["id"])
    for slot in header["slots"]:
        file_key = open_slot(slot, archive_id, passphrase, seed)
        if file_key is not None:
            expected = hmac.new(hkdf(file_key, archive_id, b"sealift/v1/header"), signed, "sha256").digest()
            need(hmac.compare_digest(expected, mac), "HEADER_CHANGED", "its MAC differs")
            return hkdf(file_key, archive_id, b"sealift/v1/payload")
    raise Refused("NO_KEY_FITS: no slot opens with this key")


# --- chunks and footer (section 4) ---


def unseal(data, passphrase=None, seed=None):
    """Yields the payload as zstd frames; when it ends without an exception, everything was checked."""
    header, signed, mac = read_header(data)
    gcm = AESGCM(payload_key(header, signed, mac, passphrase, seed))
    at, number, before, index, first_index = len(signed) + 32, 0, DATA, [], None
    while before != END:
        need(at + 5 <= len(data), "ARCHIVE_CUT", f"at byte {len(data)}")
        kind, length = struct.unpack_from("<BI", data, at)
        in_order = kind <= END and kind >= before
        need(in_order and 16 <= length <= header["chunk_size"] + 65536, "CHUNK_CHANGED", f"chunk {number} (byte {at})")
        need(at + 5 + length <= len(data), "ARCHIVE_CUT", f"at byte {len(data)}")
        nonce = bytes([kind, 0, 0, 0]) + struct.pack(">Q", number)
        try:
            plaintext = gcm.decrypt(nonce, data[at + 5 : at + 5 + length], None)
        except InvalidTag:
            raise Refused(f"CHUNK_CHANGED: chunk {number} (byte {at})") from None
        if kind == DATA:
            yield plaintext if header["compression"] == "zstd" else stored_frame(plaintext)
        else:
            first_index = first_index or (at, number)
            index.append(plaintext)
        before, number, at = kind, number + 1, at + 5 + length
    need(at + 24 <= len(data), "ARCHIVE_CUT", f"at byte {len(data)}")
    footer = struct.pack("<QQ", *first_index) + END_MAGIC
    need(data[at : at + 24] == footer, "FOOTER_CHANGED", f"byte {at}")
    need(at + 24 == len(data), "TRAILING_DATA", f"after byte {at + 24}")
    return b"".join(index)


def stored_frame(content):
    """A zstd frame of blocks that are not compressed (RFC 8878)."""
    frame = struct.pack("<IBI", 0xFD2FB528, 0b10100000, len(content))
    for at in range(0, max(len(content), 1), 131072):
        block = content[at : at + 131072]
        last = at + 131072 >= len(content)
        frame += struct.pack("<I", len(block) << 3 | last)[:3] + block
    return frame


def check_index(index):
    """That the index can be read and says how large the payload is; comparing it with the tar is left to others."""
    done = subprocess.run(["zstd", "-dcq", "--memory=8MB"], input=index, capture_output=True, check=False)
    need(done.returncode == 0, "CONTENTS_DISAGREE", "the index is not zstd")
    lines = done.stdout.decode("utf-8").splitlines()
    need(lines and "payload_size" in json.loads(lines[-1]), "CONTENTS_DISAGREE", "the index has no last line")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--passphrase-file", type=Path)
    parser.add_argument("--key-file", type=Path, help="the file that `sealift keygen` wrote, or its secret line")
    options = parser.parse_args()
    passphrase = options.passphrase_file.read_text("utf-8").rstrip("\r\n") if options.passphrase_file else None
    try:
        seed = None
        if options.key_file:
            words = options.key_file.read_text("utf-8").split()
            seed = parse_secret(next((word for word in words if word.startswith("SEALIFT-SECRET-V1:")), ""))
        frames = unseal(options.archive.read_bytes(), passphrase, seed)
        while True:
            try:
                sys.stdout.buffer.write(next(frames))
            except StopIteration as end:
                check_index(end.value)
                return 0
    except Refused as refusal:
        print(f"unseal.py: {refusal}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
