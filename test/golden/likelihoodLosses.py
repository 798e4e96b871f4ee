"""Losses of likelihoods and hinges: python3 test/golden/likelihoodLosses.py"""
import torch
import torch.nn.functional as F

from golden import Golden

g = Golden(__file__)
x, t = g.randn(3, 4), g.randn(3, 4)
counts, signs, labels = g.randint(0, 6, (3, 4)).float(), g.randint(0, 2, (3, 4)) * 2.0 - 1, g.randint(0, 2, (3, 4)).float()
spread = g.rand(3, 4) + 0.1

for reduction in ["mean", "sum", "none"]:
    given = {"reduction": reduction}
    g.case("poissonNllLoss", reduction, [x, counts], ["$0", "$1", given], lambda x, t: F.poisson_nll_loss(x, t, reduction=reduction))
    g.case("gaussianNllLoss", reduction, [x, t, spread], ["$0", "$1", "$2", given],
           lambda x, t, v: F.gaussian_nll_loss(x, t, v, reduction=reduction))
    # PyTorch has no gradient for these targets, and takes no whole numbers.
    g.case("softMarginLoss", reduction, [x, signs.int()], ["$0", "$1", given],
           lambda x, t: F.soft_margin_loss(x, t.float(), reduction=reduction))
    g.case("hingeEmbeddingLoss", reduction, [x, signs.int()], ["$0", "$1", given],
           lambda x, t: F.hinge_embedding_loss(x, t, reduction=reduction))
    g.case("multilabelSoftMarginLoss", reduction, [x, labels], ["$0", "$1", given],
           lambda x, t: F.multilabel_soft_margin_loss(x, t, reduction=reduction))
g.case("poissonNllLoss", "full", [x, counts], ["$0", "$1", {"full": True}], lambda x, t: F.poisson_nll_loss(x, t.detach(), full=True), grads=False)
g.case("poissonNllLoss", "no logarithm", [spread, counts], ["$0", "$1", {"logInput": False, "eps": 0.1}],
       lambda x, t: F.poisson_nll_loss(x, t, log_input=False, eps=0.1))
g.case("poissonNllLoss", "float64", [x.double(), counts.double()], ["$0", "$1"], F.poisson_nll_loss)
for name, variance in [("without the last axis", g.rand(3) + 0.1), ("one axis of 1", g.rand(3, 1) + 0.1), ("small", spread * 1e-6)]:
    g.case("gaussianNllLoss", f"variances: {name}", [x, t, variance], ["$0", "$1", "$2"], F.gaussian_nll_loss)
g.case("gaussianNllLoss", "full, eps", [x, t, spread], ["$0", "$1", "$2", {"full": True, "eps": 0.4}],
       lambda x, t, v: F.gaussian_nll_loss(x, t, v, full=True, eps=0.4))
g.case("softMarginLoss", "far out", [x * 100, signs], ["$0", "$1", {"reduction": "none"}],
       lambda x, t: F.softplus(-t * x), grads=False)
g.case("hingeEmbeddingLoss", "margin, other targets", [x, torch.tensor([[1, -1, 0, 2]] * 3).int()], ["$0", "$1", {"margin": 0.5}],
       lambda x, t: F.hinge_embedding_loss(x, t, margin=0.5))
g.case("multilabelSoftMarginLoss", "weight", [x, labels, g.rand(4)], ["$0", "$1", {"weight": "$2"}],
       lambda x, t, w: F.multilabel_soft_margin_loss(x, t, w))
g.case("multilabelSoftMarginLoss", "one sample", [x[0], labels[0]], ["$0", "$1"], F.multilabel_soft_margin_loss)
g.save()
