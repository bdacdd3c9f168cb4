"""PyTorch's side of `npm run bench -- steps`: prints the milliseconds of single training steps of one workload as JSON.
A step is forward, loss, gradients, update, on the next of 16 batches.
Usage: torch_steps.py NAME THREADS SECONDS OPTIONS, options among default, fused, compile, bf16, joined by commas."""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCHES = 16
NAME, THREADS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
OPTIONS = sys.argv[4].split(',')
FUSED = 'fused' in OPTIONS


def adam(net):
    return torch.optim.Adam(net.parameters(), fused=FUSED)


def classes(count, batch):
    return torch.randint(0, count, (BATCHES, batch))


def mlp():
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return net, torch.rand(BATCHES, 32, 784), classes(10, 32), adam(net)


def cnn128():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    ).to(memory_format=torch.channels_last)
    return net, torch.rand(BATCHES, 128, 1, 28, 28), classes(10, 128), torch.optim.Adadelta(net.parameters(), lr=1.0)


def cnn32():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 3 * 3, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last)
    return net, torch.rand(BATCHES, 32, 1, 28, 28), classes(10, 32), adam(net)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LSTM(1, 64, batch_first=True), nn.LSTM(64, 32, batch_first=True)
        self.output = nn.Linear(32, 1)

    def forward(self, x):
        x, _ = self.first(x)
        x, _ = self.second(x)
        return self.output(x[:, -1])


def lstm():
    net = Lstm()
    return net, torch.rand(BATCHES, 32, 50, 1), torch.rand(BATCHES, 32, 1), adam(net)


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10000, 128)
        self.attention = nn.MultiheadAttention(128, 4, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
        self.wide, self.narrow, self.output = nn.Linear(128, 512), nn.Linear(512, 128), nn.Linear(128, 2)

    def forward(self, tokens):
        x = self.embedding(tokens)
        attended, _ = self.attention(x, x, x, need_weights=False)
        x = self.norm1(x + attended)
        x = self.norm2(x + self.narrow(F.relu(self.wide(x))))
        return self.output(x.mean(1))


def transformer():
    net = Transformer()
    return net, torch.randint(0, 10000, (BATCHES, 32, 64)), classes(2, 32), adam(net)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.path = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        return F.relu(self.norm2(self.second(F.relu(self.norm1(self.first(x))))) + self.path(x))


def resnet20():
    layers, channels = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        for k in range(3):
            layers.append(Block(channels, outputs, stride if k == 0 else 1))
            channels = outputs
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 0.1, 0.9, fused=FUSED)
    return net, torch.rand(BATCHES, 64, 3, 32, 32), classes(10, 64), optimizer


def main():
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    workloads = dict(mlp=mlp, cnn128=cnn128, cnn32=cnn32, lstm=lstm, transformer=transformer, resnet20=resnet20)
    net, xs, ys, optimizer = workloads[NAME]()
    net.train()
    loss_of = F.mse_loss if ys.is_floating_point() else F.cross_entropy
    xs = [x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in xs]
    ys = list(ys)
    call = torch.compile(net) if 'compile' in OPTIONS else net

    def step(at):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled='bf16' in OPTIONS):
            loss = loss_of(call(xs[at % BATCHES]).float(), ys[at % BATCHES])
        loss.backward()
        optimizer.step()

    for at in range(BATCHES + 4):
        step(at)
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        step(len(times))
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({'version': torch.__version__, 'times': times}))


main()
