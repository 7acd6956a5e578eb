"""ML-KEM-768 key expansion and decapsulation (FIPS 203), enough to open a recipient slot.

Plain Python for reading and checking, not in constant time: use it where nobody can time you.
"""
import hashlib

Q, N, K = 3329, 256, 3
ETA, DU, DV = 2, 10, 4


def _reverse7(i):
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, _reverse7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse7(i) + 1, Q) for i in range(128)]


def ntt(f):
    f, i, size = list(f), 1, 128
    while size >= 2:
        for start in range(0, N, 2 * size):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + size):
                t = zeta * f[j + size] % Q
                f[j], f[j + size] = (f[j] + t) % Q, (f[j] - t) % Q
        size //= 2
    return f


def inverse_ntt(f):
    f, i, size = list(f), 127, 2
    while size <= 128:
        for start in range(0, N, 2 * size):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + size):
                t = f[j]
                f[j], f[j + size] = (t + f[j + size]) % Q, zeta * (f[j + size] - t) % Q
        size *= 2
    return [x * 3303 % Q for x in f]


def multiply(f, g):
    h = []
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def add(f, g):
    return [(a + b) % Q for a, b in zip(f, g)]


def dot(row, column):
    total = [0] * N
    for f, g in zip(row, column):
        total = add(total, multiply(f, g))
    return total


def encode(f, bits):
    number = sum(x << (bits * i) for i, x in enumerate(f))
    return number.to_bytes(32 * bits, "little")


def decode(data, bits):
    number, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    return [(number >> (bits * i)) & mask for i in range(N)]


def compress(f, bits):
    return [((x << bits) + Q // 2) // Q % (1 << bits) for x in f]


def decompress(f, bits):
    return [(x * Q + (1 << (bits - 1))) >> bits for x in f]


def sample_matrix(rho):
    def sample(i, j):
        f, data, at = [], hashlib.shake_128(rho + bytes([j, i])).digest(3 * 1024), 0
        while len(f) < N:
            a, b, c = data[at : at + 3]
            at += 3
            f += [x for x in (a + 256 * (b % 16), b // 16 + 16 * c) if x < Q]
        return f[:N]

    return [[sample(i, j) for j in range(K)] for i in range(K)]


def sample_noise(seed, nonce):
    bits = int.from_bytes(hashlib.shake_256(seed + bytes([nonce])).digest(64 * ETA), "little")
    pick = lambda at: (bits >> at & 1) + (bits >> (at + 1) & 1)
    return [(pick(4 * i) - pick(4 * i + 2)) % Q for i in range(N)]


def _g(data):
    digest = hashlib.sha3_512(data).digest()
    return digest[:32], digest[32:]


def expand(d):
    """The secret vector (in NTT form) and the 1,184-byte public key of the seed half d."""
    rho, sigma = _g(d + bytes([K]))
    s = [ntt(sample_noise(sigma, i)) for i in range(K)]
    e = [ntt(sample_noise(sigma, K + i)) for i in range(K)]
    t = [add(dot(row, s), noise) for row, noise in zip(sample_matrix(rho), e)]
    return s, b"".join(encode(f, 12) for f in t) + rho


def encrypt(public, message, seed):
    t = [decode(public[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    matrix = sample_matrix(public[384 * K :])
    r = [ntt(sample_noise(seed, i)) for i in range(K)]
    u = [
        add(inverse_ntt(dot([matrix[j][i] for j in range(K)], r)), sample_noise(seed, K + i))
        for i in range(K)
    ]
    v = add(add(inverse_ntt(dot(t, r)), sample_noise(seed, 2 * K)), decompress(decode(message, 1), 1))
    return b"".join(encode(compress(f, DU), DU) for f in u) + encode(compress(v, DV), DV)


def decapsulate(d, z, ciphertext):
    """The 32-byte shared secret; an unrelated one where the ciphertext is for another key (implicit rejection)."""
    s, public = expand(d)
    size = 32 * DU
    u = [ntt(decompress(decode(ciphertext[size * i : size * (i + 1)], DU), DU)) for i in range(K)]
    v = decompress(decode(ciphertext[size * K :], DV), DV)
    w = [(a - b) % Q for a, b in zip(v, inverse_ntt(dot(s, u)))]
    message = encode(compress(w, 1), 1)
    key, seed = _g(message + hashlib.sha3_256(public).digest())
    if encrypt(public, message, seed) == ciphertext:
        return key
    return hashlib.shake_256(z + ciphertext).digest(32)
