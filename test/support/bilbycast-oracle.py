"""Writes and opens both formats of bilbycast-manager after their description alone: other code, other libraries."""

import hashlib
import json
import sys

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def key(passphrase, salt):
    return hash_secret_raw(passphrase.encode(), salt, 3, 65536, 1, 32, Type.ID, 0x13)


def write_export(passphrase, salt, nonce, head, payload):
    return head + nonce + AESGCM(key(passphrase, salt)).encrypt(nonce, payload, None)


def open_export(passphrase, data):
    assert data[:8] == b"BCBKv2\n\0"
    end = 12 + int.from_bytes(data[8:12], "little")
    header = json.loads(data[12:end])
    import base64

    salt = base64.b64decode(header["kdf"]["salt"], validate=True)
    payload = AESGCM(key(passphrase, salt)).decrypt(data[end : end + 12], data[end + 12 :], None)
    assert json.loads(payload)["header_sha256"] == hashlib.sha256(data[:end]).hexdigest()
    return payload


def open_dump(passphrase, data):
    assert data[:8] == b"BCBKMGR1"
    return AESGCM(key(passphrase, data[8:24])).decrypt(data[24:36], data[36:], None)


def write_dump(passphrase, salt, nonce, dump):
    return b"BCBKMGR1" + salt + nonce + AESGCM(key(passphrase, salt)).encrypt(nonce, dump, None)


what, passphrase, *rest = sys.argv[1:]
data = sys.stdin.buffer.read()
if what == "open-export":
    out = open_export(passphrase, data)
elif what == "open-dump":
    out = open_dump(passphrase, data)
elif what == "write-export":
    out = write_export(passphrase, bytes.fromhex(rest[0]), bytes.fromhex(rest[1]), bytes.fromhex(rest[2]), data)
else:
    out = write_dump(passphrase, bytes.fromhex(rest[0]), bytes.fromhex(rest[1]), data)
sys.stdout.buffer.write(out)
