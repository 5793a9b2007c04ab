# SPDX-License-Identifier: BSD-3-Clause
"""CHAP in a login, RFC 7143 12.1.3 and RFC 1994: one way and mutual, four hashes."""

import base64
import hashlib
import os

# The IANA registry "PPP Authentication Algorithms".
HASHES = {5: "md5", 6: "sha1", 7: "sha256", 8: "sha3_256"}


class ChapError(Exception):
    """The target's half of the dialog is wrong."""


def response(algorithm, ident, secret, challenge):
    """H(id, secret, challenge), RFC 1994 4.1."""
    if isinstance(secret, str):
        secret = secret.encode()
    return hashlib.new(HASHES[algorithm], bytes([ident]) + secret + challenge).digest()


def to_hex(raw):
    return "0x" + raw.hex()


def to_base64(raw):
    return "0b" + base64.b64encode(raw).decode()


def from_text(value):
    """A large binary value, 6.1: 0x and hex digits, or 0b and base64."""
    if value[:2] in ("0x", "0X"):
        digits = value[2:]
        return bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    if value[:2] in ("0b", "0B"):
        return base64.b64decode(value[2:], validate=True)
    raise ChapError(f"no binary value: {value!r}")


class Chap:
    """An initiator's CHAP: fill in what a test wants spoiled by overriding a method.

    mutual is (name, secret) that the target must prove.
    """

    def __init__(self, user, secret, mutual=None, algorithms=(7,), encode=to_hex):
        self.user, self.secret, self.mutual = user, secret, mutual
        self.algorithms, self.encode = algorithms, encode
        self.chosen = None

    def offer(self):
        return {"CHAP_A": ",".join(map(str, self.algorithms))}

    def answer(self, keys):
        """From the target's CHAP_A, CHAP_I, CHAP_C to our CHAP_N, CHAP_R (and challenge)."""
        for need in ("CHAP_A", "CHAP_I", "CHAP_C"):
            if need not in keys:
                raise ChapError(f"the target sent no {need}: {keys}")
        self.chosen = int(keys["CHAP_A"], 0)
        if self.chosen not in self.algorithms:
            raise ChapError(f"the target chose CHAP_A={self.chosen}, offered {self.algorithms}")
        self.their_ident = int(keys["CHAP_I"], 0)
        self.their_challenge = from_text(keys["CHAP_C"])
        if not 1 <= len(self.their_challenge) <= 1024:      # 12.1.3: at most 1024 bytes
            raise ChapError(f"challenge of {len(self.their_challenge)} bytes")
        out = {"CHAP_N": self.user,
               "CHAP_R": self.encode(response(self.chosen, self.their_ident, self.secret,
                                              self.their_challenge))}
        if self.mutual:
            self.our_ident, self.our_challenge = self.pick_challenge()
            out["CHAP_I"] = str(self.our_ident)
            out["CHAP_C"] = self.encode(self.our_challenge)
        return out

    def pick_challenge(self):
        return os.urandom(1)[0], os.urandom(16)

    def verify(self, keys):
        """The target's proof, when we asked for one."""
        if not self.mutual:
            return
        name, secret = self.mutual
        if keys.get("CHAP_N") != name:
            raise ChapError(f"the target calls itself {keys.get('CHAP_N')!r}, not {name!r}")
        want = response(self.chosen, self.our_ident, secret, self.our_challenge)
        if from_text(keys.get("CHAP_R", "")) != want:
            raise ChapError("the target's CHAP_R proves nothing")
