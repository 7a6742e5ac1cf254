"""Philox4x32-10 in plain integers (Salmon et al. 2011, section 3.3), written apart from the TypeScript one. Run: python test/oracles/philox.py

Prints a JSON list of [counter, key, words]: the three cases of Random123's kat_vectors, then twenty of a multiplicative sequence.
"""
import json

MASK = 2**32 - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


cases = [
    ([0] * 4, [0] * 2),
    ([MASK] * 4, [MASK] * 2),
    ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]),
]
state = 1
for _ in range(20):
    words = []
    for _ in range(6):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        words.append(state >> 32)
    cases.append((words[:4], words[4:]))
print("[\n" + ",\n".join(json.dumps([c, k, philox(c, k)]) for c, k in cases) + "\n]")
