"""Norms within a sample, and what is made of lengths: python3 test/golden/norms.py

How running statistics change is checked in test/tensor/ops/norms.test.ts.
"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)

for name, shape, last in [("[N, L]", (4, 6), [6]), ("two axes", (2, 3, 4, 5), [4, 5]), ("all axes", (3, 4), [3, 4])]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(*last), g.randn(*last)
    g.case("layerNorm", f"{name}", [x, w, b], ["$0", last, "$1", "$2"], lambda x, w, b, n=last: F.layer_norm(x, n, w, b))
    g.case("layerNorm", f"{name}, plain", [x], ["$0", last], lambda x, n=last: F.layer_norm(x, n))
g.case("layerNorm", "weight alone, eps, a number", [x, w[0]], ["$0", 4, "$1", None, {"eps": 0.1}], lambda x, w: F.layer_norm(x, [4], w, None, 0.1))
g.case("layerNorm", "float64", [x.double()], ["$0", [4]], lambda x: F.layer_norm(x, [4]))
for name, shape, groups in [
    ("[N, C], 2 groups", (4, 6), 2), ("[N, C, L], 2 groups", (2, 4, 5), 2), ("[N, C, H, W], 1 group", (2, 4, 3, 3), 1),
    ("[N, C, H, W], as many groups as channels", (2, 4, 3, 3), 4),
]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(shape[1]), g.randn(shape[1])
    g.case("groupNorm", name, [x, w, b], ["$0", groups, "$1", "$2"], lambda x, w, b, n=groups: F.group_norm(x, n, w, b))
    g.case("groupNorm", f"{name}, plain", [x], ["$0", groups], lambda x, n=groups: F.group_norm(x, n))
    g.case(
        "groupNorm", f"{name}, eps", [x, w, b], ["$0", groups, "$1", "$2", {"eps": 0.1}],
        lambda x, w, b, n=groups: F.group_norm(x, n, w, b, 0.1),
    )
for name, shape in [("[N, C, L]", (3, 2, 5)), ("[N, C, H, W]", (2, 3, 4, 3))]:
    x, w, b = g.randn(*shape) * 2 + 1, g.randn(shape[1]), g.randn(shape[1])
    m, v = g.randn(shape[1]), g.rand(shape[1]) + 0.5
    g.case("instanceNorm", name, [x, w, b], ["$0", None, None, "$1", "$2"], lambda x, w, b: F.instance_norm(x, None, None, w, b))
    g.case("instanceNorm", f"{name}, plain", [x], ["$0"], F.instance_norm)
    g.case(
        "instanceNorm", f"{name}, running statistics", [x, m, v, w], ["$0", "$1", "$2", "$3", None, {"useInputStats": False, "eps": 0.01}],
        lambda x, m, v, w: F.instance_norm(x, m.detach(), v.detach(), w, None, False, 0.1, 0.01),
    )
for name, shape in [("[N, C, L]", (2, 5, 3)), ("[N, C, H, W]", (2, 4, 2, 3))]:
    x = g.randn(*shape)
    g.case("localResponseNorm", name, [x], ["$0", 2], lambda x: F.local_response_norm(x, 2))
    g.case(
        "localResponseNorm", f"{name}, settings", [x], ["$0", 3, {"alpha": 0.5, "beta": 0.5, "k": 2}],
        lambda x: F.local_response_norm(x, 3, 0.5, 0.5, 2),
    )
a, b = g.randn(4, 3), g.randn(4, 3)
g.case("normalize", "rows", [a], ["$0"], F.normalize)
g.case("normalize", "p = 1, columns", [a], ["$0", 1, 0], lambda x: F.normalize(x, 1, 0))
g.case("normalize", "eps", [a], ["$0", 2, -1, {"eps": 2}], lambda x: F.normalize(x, 2, -1, 2.0))
g.case("normalize", "zeros", [torch.zeros(2, 3)], ["$0"], F.normalize, grads=False)
g.case("cosineSimilarity", "broadcast", [a, b[:1]], ["$0", "$1"], F.cosine_similarity)
g.case("cosineSimilarity", "rows", [a, b], ["$0", "$1"], F.cosine_similarity)
g.case("cosineSimilarity", "broadcast, eps", [a, b[:1]], ["$0", "$1", 0, {"eps": 1.5}], lambda x, y: F.cosine_similarity(x, y, 0, 1.5), grads=False)

w = g.randn(6, 3)
words = g.randint(0, 6, (2, 4))
g.case("embedding", "a matrix of words", [words, w], ["$0", "$1"], F.embedding)
g.case("embedding", "one word", [torch.tensor(3), w], ["$0", "$1"], F.embedding)
g.case("embedding", "padding", [torch.tensor([1, 5, 1, 0]), w], ["$0", "$1", {"paddingIdx": 1}], lambda i, w: F.embedding(i, w, 1))
g.case("embedding", "padding from the end", [torch.tensor([1, 5, 1, 0]), w], ["$0", "$1", {"paddingIdx": -1}], lambda i, w: F.embedding(i, w, -1))

q, k, v = g.randn(2, 3, 4, 5), g.randn(2, 3, 6, 5), g.randn(2, 3, 6, 2)
attend = F.scaled_dot_product_attention
name, qkv = "scaledDotProductAttention", ["$0", "$1", "$2"]
mask = g.rand(4, 6) > 0.4
mask[1] = False
added = torch.randn(2, 1, 4, 6)
g.case(name, "plain", [q, k, v], qkv, attend)
g.case(name, "causal", [q, k, v], [*qkv, {"isCausal": True}], lambda q, k, v: attend(q, k, v, is_causal=True))
g.case(name, "scale, two axes", [q[0, 0], k[0, 0], v[0, 0]], [*qkv, {"scale": 0.3}], lambda q, k, v: attend(q, k, v, scale=0.3))
g.case(name, "bool mask, one row of it empty", [q, k, v, mask], [*qkv, {"attnMask": "$3"}], lambda q, k, v, m: attend(q, k, v, m))
g.case(name, "mask to add", [q, k, v, added], [*qkv, {"attnMask": "$3"}], lambda q, k, v, m: attend(q, k, v, m))
few = g.randn(2, 6, 4, 5)
g.case(name, "heads that share keys", [few, k, v], [*qkv, {"enableGqa": True}], lambda q, k, v: attend(q, k, v, enable_gqa=True))
g.case(name, "heads that share keys, causal, three axes", [few[0], k[0, :1], v[0, :1]], [*qkv, {"enableGqa": True, "isCausal": True}], lambda q, k, v: attend(q, k, v, is_causal=True, enable_gqa=True))
g.case(name, "heads that share keys, masked", [few, k, v, added], [*qkv, {"enableGqa": True, "attnMask": "$3"}], lambda q, k, v, m: attend(q, k, v, m, enable_gqa=True))
g.save()
