"""Losses: python3 test/golden/losses.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
REDUCTIONS = ["mean", "sum", "none"]


def options(**given):
    return {k: v for k, v in given.items() if v is not None}


# --- one value against another ---
for op, fn in {"mseLoss": F.mse_loss, "l1Loss": F.l1_loss}.items():
    a, b = g.randn(3, 4), g.randn(3, 4)
    g.case(op, "default", [a, b], ["$0", "$1"], fn)
    for r in REDUCTIONS:
        g.case(op, r, [a, b], ["$0", "$1", {"reduction": r}], lambda x, y, f=fn, r=r: f(x, y, reduction=r))
    g.case(op, "equal", [a, a.clone()], ["$0", "$1"], fn)
    g.case(op, "scalars", [g.randn(()), g.randn(())], ["$0", "$1"], fn)
    g.case(op, "nothing", [torch.zeros(0), torch.zeros(0)], ["$0", "$1"], fn)

# --- log probabilities and logits against labels ---
shapes = {"[N, C]": ((5, 4), (5,)), "[C]": ((4,), ()), "[N, C, d]": ((2, 4, 3), (2, 3)), "[N, C, H, W]": ((2, 4, 2, 3), (2, 2, 3))}
weight = torch.tensor([0.5, 2.0, 1.0, 0.1])
for op, fn in {"nllLoss": F.nll_loss, "crossEntropy": F.cross_entropy}.items():
    smoothings = [None, 0.1, 1.0] if op == "crossEntropy" else [None]
    for shape, (xs, ts) in shapes.items():
        x = g.randn(*xs) * 3
        if op == "nllLoss":
            x = F.log_softmax(x, 0 if len(xs) == 1 else 1)
        t = g.randint(0, 4, ts)
        ignored = t.clone()
        if ts:
            ignored.view(-1)[::2] = -100
        for r in REDUCTIONS:
            for s in smoothings:
                torch_options = options(reduction=r, label_smoothing=s)
                our_options = options(reduction=r, labelSmoothing=s)
                name = f"{shape}, {r}" + ("" if s is None else f", smoothing {s}")
                g.case(op, name, [x, t], ["$0", "$1", our_options], lambda x, t, f=fn, o=torch_options: f(x, t, **o))
                g.case(
                    op, f"{name}, weights", [x, t, weight], ["$0", "$1", {"weight": "$2", **our_options}],
                    lambda x, t, w, f=fn, o=torch_options: f(x, t, weight=w.detach(), **o),
                )
                g.case(
                    op, f"{name}, ignored", [x, ignored], ["$0", "$1", our_options],
                    lambda x, t, f=fn, o=torch_options: f(x, t, **o),
                )
                g.case(
                    op, f"{name}, weights, ignored", [x, ignored, weight], ["$0", "$1", {"weight": "$2", **our_options}],
                    lambda x, t, w, f=fn, o=torch_options: f(x, t, weight=w.detach(), **o),
                )
    x, t = F.log_softmax(g.randn(3, 4), 1), torch.tensor([2, 0, 2])
    g.case(op, "default", [x, t], ["$0", "$1"], fn)
    g.case(
        op, "class 2 ignored", [x, t], ["$0", "$1", {"ignoreIndex": 2}], lambda x, t, f=fn: f(x, t, ignore_index=2)
    )
    every = torch.full((3,), -100)
    g.case(op, "all ignored", [x, every], ["$0", "$1"], fn)
    g.case(op, "all ignored, sum", [x, every], ["$0", "$1", {"reduction": "sum"}], lambda x, t, f=fn: f(x, t, reduction="sum"))
    g.case(op, "no rows", [torch.zeros(0, 4), t[:0]], ["$0", "$1"], fn)
    g.case(op, "float64", [x.double(), t], ["$0", "$1"], fn)
for s in [None, 0.2]:
    g.case(
        "crossEntropy", "-infinity where the label is not" + ("" if s is None else ", ignored"),
        [torch.tensor([[0.0, float("-inf"), 1.0], [float("-inf"), 0.0, 2.0]]), torch.tensor([0, 1] if s is None else [0, -100])],
        ["$0", "$1"], F.cross_entropy,
    )
g.case("crossEntropy", "wide range", [torch.tensor([[1e4, 0.0, -1e4], [80.0, -80.0, 0.0]]), torch.tensor([2, 0])], ["$0", "$1"], F.cross_entropy)

# --- logits against class probabilities ---
for shape, (xs, _) in shapes.items():
    x = g.randn(*xs)
    p = F.softmax(g.randn(*xs), 0 if len(xs) == 1 else 1)
    for r in REDUCTIONS:
        for s in [None, 0.3]:
            torch_options, our_options = options(reduction=r, label_smoothing=s), options(reduction=r, labelSmoothing=s)
            name = f"probabilities {shape}, {r}" + ("" if s is None else f", smoothing {s}")
            g.case("crossEntropy", name, [x, p], ["$0", "$1", our_options], lambda x, p, o=torch_options: F.cross_entropy(x, p, **o))
            g.case(
                "crossEntropy", f"{name}, weights", [x, p, weight], ["$0", "$1", {"weight": "$2", **our_options}],
                lambda x, p, w, o=torch_options: F.cross_entropy(x, p, weight=w.detach(), **o),
            )

# --- logits against targets from 0 to 1 ---
bce = F.binary_cross_entropy_with_logits
x, t = g.randn(3, 4) * 2, g.rand(3, 4)
for r in REDUCTIONS:
    g.case("binaryCrossEntropyWithLogits", r, [x, t], ["$0", "$1", {"reduction": r}], lambda x, t, r=r: bce(x, t, reduction=r))
    g.case(
        "binaryCrossEntropyWithLogits", f"{r}, weights", [x, t, g.rand(4), g.rand(4) * 3],
        ["$0", "$1", {"weight": "$2", "posWeight": "$3", "reduction": r}],
        lambda x, t, w, p, r=r: bce(x, t, w.detach(), pos_weight=p.detach(), reduction=r),
    )
g.case("binaryCrossEntropyWithLogits", "default", [x, (t > 0.5).float()], ["$0", "$1"], bce)
g.case(
    "binaryCrossEntropyWithLogits", "weight of elements", [x, t, g.rand(3, 1)], ["$0", "$1", {"weight": "$2"}],
    lambda x, t, w: bce(x, t, w.detach()),
)


def exact(x, t):
    """PyTorch's own loss loses the digits of small results to cancellation, even in float64; this sum of two terms does not."""
    x, t, zero = x.double(), t.detach().double(), torch.zeros((), dtype=torch.float64)
    return (t * torch.logaddexp(zero, -x) + (1 - t) * torch.logaddexp(zero, x)).mean().float()


for value in [0.0, 1e-4, 0.5, 3.0, 10.0, 15.0, 40.0, 80.0]:
    for sign in [1, -1]:
        for target in [0.0, 1.0]:
            g.case(
                "binaryCrossEntropyWithLogits", f"logit {sign * value}, target {target}",
                [torch.tensor([sign * value]), torch.tensor([target])], ["$0", "$1"],
                exact,
            )

# --- the rest, appended so that the values above stay as they are ---
a, b = g.randn(3, 4) * 2, g.randn(3, 4)
b[0, 0] = a[0, 0]
# Differences on the bend itself: 1 and 0.5.
a[1, :2], b[1, :2] = torch.tensor([1.5, -0.25]), torch.tensor([0.5, 0.25])
for r in REDUCTIONS:
    g.case("smoothL1Loss", r, [a, b], ["$0", "$1", {"reduction": r}], lambda x, y, r=r: F.smooth_l1_loss(x, y, reduction=r))
    g.case("huberLoss", r, [a, b], ["$0", "$1", {"reduction": r}], lambda x, y, r=r: F.huber_loss(x, y, reduction=r))
    g.case(
        "huberLoss", f"{r}, weights", [a, b, g.rand(3, 4)], ["$0", "$1", {"reduction": r, "weight": "$2", "delta": 0.5}],
        lambda x, y, w, r=r: F.huber_loss(x, y, reduction=r, weight=w.detach(), delta=0.5),
    )
for beta in [0.0, 0.5, 3.0]:
    g.case("smoothL1Loss", f"beta {beta}", [a, b], ["$0", "$1", {"beta": beta}], lambda x, y, v=beta: F.smooth_l1_loss(x, y, beta=v))
g.case("huberLoss", "delta", [a, b], ["$0", "$1", {"delta": 0.5}], lambda x, y: F.huber_loss(x, y, delta=0.5))
p, t = g.rand(3, 4), g.rand(3, 4)
for r in REDUCTIONS:
    g.case("binaryCrossEntropy", r, [p, t], ["$0", "$1", {"reduction": r}], lambda x, y, r=r: F.binary_cross_entropy(x, y, reduction=r))
    g.case(
        "binaryCrossEntropy", f"{r}, weights", [p, t, g.rand(3, 1)], ["$0", "$1", {"reduction": r, "weight": "$2"}],
        lambda x, y, w, r=r: F.binary_cross_entropy(x, y, weight=w.detach(), reduction=r),
    )
edges = torch.tensor([0.0, 1.0, 0.0, 1.0, 1e-30, 0.5]), torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
g.case("binaryCrossEntropy", "0 and 1", list(edges), ["$0", "$1"], lambda x, y: F.binary_cross_entropy(x, y.detach()))
logs, shares = F.log_softmax(g.randn(3, 4), 1), F.softmax(g.randn(3, 4), 1)
shares[0] = torch.tensor([0.0, 1.0, 0.0, 0.0])
for r in [*REDUCTIONS, "batchmean"]:
    g.case("klDiv", r, [logs, shares[1:].repeat(2, 1)[:3]], ["$0", "$1", {"reduction": r}], lambda x, y, r=r: F.kl_div(x, y, reduction=r))
    g.case("klDiv", f"{r}, 0 in the target", [logs, shares], ["$0", "$1", {"reduction": r}],
           lambda x, y, r=r: F.kl_div(x, y.detach(), reduction=r))
    g.case(
        "klDiv", f"{r}, log target", [logs, F.log_softmax(g.randn(3, 4), 1)], ["$0", "$1", {"reduction": r, "logTarget": True}],
        lambda x, y, r=r: F.kl_div(x, y, reduction=r, log_target=True),
    )
signs = torch.tensor([1.0, -1.0, 1.0, -1.0, 0.0])
u, v, w = g.randn(5, 3), g.randn(5, 3), g.randn(5, 3)
u[2] = 0
for r in REDUCTIONS:
    for m in [None, 0.3]:
        name, ours, theirs = f"{r}" + ("" if m is None else f", margin {m}"), options(reduction=r, margin=m), options(reduction=r, margin=m)
        g.case(
            "cosineEmbeddingLoss", name, [u, v, signs], ["$0", "$1", "$2", ours],
            lambda x, y, t, o=theirs: F.cosine_embedding_loss(x, y, t.detach(), **o),
        )
        g.case(
            "marginRankingLoss", name, [u, v, torch.sign(w)], ["$0", "$1", "$2", ours],
            lambda x, y, t, o=theirs: F.margin_ranking_loss(x, y, t.detach(), **o),
        )
    g.case(
        "tripletMarginLoss", r, [u, v, w], ["$0", "$1", "$2", {"reduction": r}],
        lambda a, p, n, r=r: F.triplet_margin_loss(a, p, n, reduction=r),
    )
g.case("cosineEmbeddingLoss", "vectors", [u[0], v[0], torch.tensor(-1.0)], ["$0", "$1", "$2"],
       lambda x, y, t: F.cosine_embedding_loss(x, y, t.detach()))
g.case("tripletMarginLoss", "swapped", [u, v, w], ["$0", "$1", "$2", {"swap": True, "margin": 2}],
       lambda a, p, n: F.triplet_margin_loss(a, p, n, swap=True, margin=2))
g.case("tripletMarginLoss", "order 1", [u, v, w], ["$0", "$1", "$2", {"p": 1, "eps": 0.01}],
       lambda a, p, n: F.triplet_margin_loss(a, p, n, p=1, eps=0.01))
g.case("tripletMarginLoss", "vectors", [u[0], v[0], w[0]], ["$0", "$1", "$2"], F.triplet_margin_loss)
g.save()
