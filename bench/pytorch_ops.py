"""PyTorch's side of bench/ops.ts: single ops, each with its gradient where it has one."""
import torch
import torch.nn.functional as F
from torch import nn

IMAGE = (64, 64, 16, 16)
ROWS = (512, 768)
HEADS = (8, 4, 256, 32)


def leaf(shape):
    return torch.randn(shape).requires_grad_()


def op(make, work):
    def prepare():
        torch.manual_seed(0)
        inputs = make()
        leaves = [x for x in inputs if x.requires_grad]
        with torch.no_grad():
            output = work(*inputs)
            gradient = torch.randn_like(output) if leaves else None

        def run(times):
            if not leaves:
                with torch.no_grad():
                    for _ in range(times):
                        work(*inputs)
                return
            for _ in range(times):
                for x in leaves:
                    x.grad = None
                work(*inputs).backward(gradient)

        return run

    return prepare


def unary(work, make=lambda: leaf(IMAGE)):
    return op(lambda: (make(),), work)


def rows(work):
    return unary(work, lambda: leaf(ROWS))


def positive(work):
    return unary(work, lambda: (torch.rand(IMAGE) + 0.5).requires_grad_())


def loss(work, make=lambda: leaf(IMAGE)):
    return op(lambda: (make(), torch.rand(IMAGE)), work)


def pair(work, shape=IMAGE):
    return op(lambda: (leaf(shape), leaf(shape)), work)


def step(make):
    def prepare():
        weights = nn.Parameter(torch.randn(1_000_000))
        optimizer = make([weights])
        weights.grad = torch.randn(1_000_000)

        def run(times):
            for _ in range(times):
                optimizer.step()

        return run

    return prepare


def clipping():
    weights = nn.Parameter(torch.randn(1_000_000))
    weights.grad = torch.randn(1_000_000)

    def run(times):
        for _ in range(times):
            nn.utils.clip_grad_norm_(weights, 1e6)

    return run


def averaging():
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    model = nn.Linear(1000, 1000)
    average = AveragedModel(nn.Linear(1000, 1000), multi_avg_fn=get_ema_multi_avg_fn())
    average.update_parameters(model)

    def run(times):
        for _ in range(times):
            average.update_parameters(model)

    return run


def places():
    return torch.randint(64, IMAGE)


OPS = {
    "op: relu": unary(F.relu),
    "op: leakyRelu": unary(lambda x: F.leaky_relu(x, 0.1)),
    "op: tanh": unary(torch.tanh),
    "op: sigmoid": unary(torch.sigmoid),
    "op: gelu": unary(F.gelu),
    "op: gelu, tanh": unary(lambda x: F.gelu(x, approximate="tanh")),
    "op: silu": unary(F.silu),
    "op: mish": unary(F.mish),
    "op: softplus": unary(F.softplus),
    "op: elu": unary(F.elu),
    "op: logSigmoid": unary(F.logsigmoid),
    "op: hardtanh": unary(F.hardtanh),
    "op: relu6": unary(F.relu6),
    "op: hardswish": unary(F.hardswish),
    "op: hardsigmoid": unary(F.hardsigmoid),
    "op: prelu": op(lambda: (leaf(IMAGE), torch.full((64,), 0.25).requires_grad_()), F.prelu),
    "op: exp": unary(torch.exp),
    "op: log": positive(torch.log),
    "op: sqrt": positive(torch.sqrt),
    "op: rsqrt": positive(torch.rsqrt),
    "op: reciprocal": positive(torch.reciprocal),
    "op: square": unary(torch.square),
    "op: abs": unary(torch.abs),
    "op: clamp": unary(lambda x: torch.clamp(x, -1, 1)),
    "op: log1p": positive(torch.log1p),
    "op: expm1": unary(torch.expm1),
    "op: sin": unary(torch.sin),
    "op: cos": unary(torch.cos),
    "op: erf": unary(torch.erf),
    "op: round": unary(torch.round),
    "op: floor": unary(torch.floor),
    "op: ceil": unary(torch.ceil),
    "op: pow 3": unary(lambda x: torch.pow(x, 3)),
    "op: mul": pair(torch.mul),
    "op: lerp": pair(lambda a, b: torch.lerp(a, b, 0.3)),
    "op: where": op(lambda: (torch.randn(IMAGE) > 0, leaf(IMAGE), leaf(IMAGE)), torch.where),
    "op: maskedFill": op(lambda: (leaf(IMAGE), torch.randn(IMAGE) > 0), lambda x, m: x.masked_fill(m, 0)),
    "op: isnan": op(lambda: (torch.randn(IMAGE),), torch.isnan),
    "op: mean": unary(torch.mean),
    "op: var of rows": rows(lambda x: torch.var(x, 1)),
    "op: amax of rows": rows(lambda x: torch.amax(x, 1)),
    "op: logsumexp": rows(lambda x: torch.logsumexp(x, 1)),
    "op: softmax": rows(lambda x: torch.softmax(x, 1)),
    "op: logSoftmax": rows(lambda x: torch.log_softmax(x, 1)),
    "op: cumsum": rows(lambda x: torch.cumsum(x, 1)),
    "op: prod of rows": unary(lambda x: torch.prod(x, 1), lambda: (torch.rand(ROWS) + 0.5).requires_grad_()),
    "op: norm": unary(torch.norm),
    "op: all": op(lambda: (torch.ones(IMAGE, dtype=torch.bool),), torch.all),
    "op: any": op(lambda: (torch.randn(IMAGE) > 9,), torch.any),
    "op: argmax": op(lambda: (torch.randn(ROWS),), lambda x: torch.argmax(x, 1)),
    "op: sort": rows(lambda x: torch.sort(x, 1).values),
    "op: argsort": op(lambda: (torch.randn(ROWS),), lambda x: torch.argsort(x, 1)),
    "op: topk 5": rows(lambda x: torch.topk(x, 5, 1).values),
    "op: embedding": op(lambda: (torch.randint(1000, (32, 64)), leaf((1000, 256))), F.embedding),
    "op: gather": op(lambda: (leaf(IMAGE), places()), lambda x, i: torch.gather(x, 1, i)),
    "op: scatter": op(lambda: (leaf(IMAGE), places(), leaf(IMAGE)), lambda x, i, y: torch.scatter(x, 1, i, y)),
    "op: indexSelect": op(lambda: (leaf((1000, 512)), torch.randint(1000, (1000,))), lambda x, i: torch.index_select(x, 0, i)),
    "op: permute": unary(lambda x: x.permute(0, 2, 3, 1).contiguous()),
    "op: cat": pair(lambda a, b: torch.cat([a, b], 1)),
    "op: tril": unary(torch.tril, lambda: leaf((768, 768))),
    "op: batchNorm": op(lambda: (leaf(IMAGE), leaf(64), leaf(64)), lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    "op: layerNorm": op(lambda: (leaf(ROWS), leaf(768), leaf(768)), lambda x, w, b: F.layer_norm(x, [768], w, b)),
    "op: groupNorm": op(lambda: (leaf(IMAGE), leaf(64), leaf(64)), lambda x, w, b: F.group_norm(x, 8, w, b)),
    "op: instanceNorm": op(lambda: (leaf(IMAGE), leaf(64), leaf(64)), lambda x, w, b: F.instance_norm(x, None, None, w, b)),
    "op: localResponseNorm": unary(lambda x: F.local_response_norm(x, 5)),
    "op: normalize": rows(F.normalize),
    "op: cosineSimilarity": pair(F.cosine_similarity, ROWS),
    "op: dropout": unary(F.dropout),
    "op: dropout2d": unary(F.dropout2d),
    "op: maxPool1d": unary(lambda x: F.max_pool1d(x, 2), lambda: leaf((64, 64, 256))),
    "op: avgPool1d": unary(lambda x: F.avg_pool1d(x, 2), lambda: leaf((64, 64, 256))),
    "op: maxPool2d": unary(lambda x: F.max_pool2d(x, 2)),
    "op: avgPool2d": unary(lambda x: F.avg_pool2d(x, 2)),
    "op: adaptiveAvgPool2d": unary(lambda x: F.adaptive_avg_pool2d(x, 1)),
    "op: interpolate, nearest": unary(lambda x: F.interpolate(x, scale_factor=2), lambda: leaf((16, 64, 16, 16))),
    "op: interpolate, bilinear": unary(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), lambda: leaf((16, 64, 16, 16))),
    "op: pixelShuffle": unary(lambda x: F.pixel_shuffle(x, 2)),
    "op: pad, reflect": unary(lambda x: F.pad(x, (1, 1, 1, 1), "reflect")),
    "op: attention": op(lambda: (leaf(HEADS), leaf(HEADS), leaf(HEADS)), F.scaled_dot_product_attention),
    "op: crossEntropy": op(lambda: (leaf((1024, 1000)), torch.randint(1000, (1024,))), F.cross_entropy),
    "op: mseLoss": loss(F.mse_loss),
    "op: l1Loss": loss(F.l1_loss),
    "op: smoothL1Loss": loss(F.smooth_l1_loss),
    "op: huberLoss": loss(F.huber_loss),
    "op: binaryCrossEntropy": loss(F.binary_cross_entropy, lambda: (torch.rand(IMAGE) * 0.98 + 0.01).requires_grad_()),
    "op: BCE with logits": loss(F.binary_cross_entropy_with_logits),
    "op: klDiv": loss(lambda x, y: F.kl_div(x, y)),
    "op: cosineEmbeddingLoss": op(lambda: (leaf(ROWS), leaf(ROWS), torch.ones(512)), F.cosine_embedding_loss),
    "op: marginRankingLoss": op(lambda: (leaf(IMAGE), leaf(IMAGE), torch.ones(IMAGE)), F.margin_ranking_loss),
    "op: tripletMarginLoss": op(lambda: (leaf(ROWS), leaf(ROWS), leaf(ROWS)), F.triplet_margin_loss),
    "op: SGD, momentum": step(lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9)),
    "op: AdamW": step(lambda p: torch.optim.AdamW(p, lr=1e-3)),
    "op: RMSprop": step(lambda p: torch.optim.RMSprop(p, lr=1e-3)),
    "op: Adagrad": step(lambda p: torch.optim.Adagrad(p, lr=1e-3)),
    "op: NAdam": step(lambda p: torch.optim.NAdam(p, lr=1e-3)),
    "op: clipGradNorm": clipping,
    "op: EMA of a Linear": averaging,
}
