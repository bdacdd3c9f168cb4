"""PyTorch's side of `npm run bench -- steps`: prints the milliseconds of single training steps of one workload as a JSON list.
A step is forward, loss, gradients, update, on the next of 16 batches. Usage: torch_steps.py NAME THREADS SECONDS [--fused]"""
import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

FUSED = '--fused' in sys.argv
BATCHES = 16


def adam(net):
    return torch.optim.Adam(net.parameters(), fused=FUSED)


def mlp():
    net = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return net, torch.rand(BATCHES, 32, 784), torch.randint(0, 10, (BATCHES, 32)), adam(net)


def cnn128():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    ).to(memory_format=torch.channels_last)
    return net, torch.rand(BATCHES, 128, 1, 28, 28), torch.randint(0, 10, (BATCHES, 128)), torch.optim.Adadelta(net.parameters(), lr=1.0)


def cnn32():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 3 * 3, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last)
    return net, torch.rand(BATCHES, 32, 1, 28, 28), torch.randint(0, 10, (BATCHES, 32)), adam(net)


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
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).to(memory_format=torch.channels_last)
    return net, torch.rand(BATCHES, 64, 3, 32, 32), torch.randint(0, 10, (BATCHES, 64)), torch.optim.SGD(net.parameters(), 0.1, 0.9, fused=FUSED)


def main():
    torch.manual_seed(0)
    torch.set_num_threads(int(sys.argv[2]))
    net, xs, ys, optimizer = {'mlp': mlp, 'cnn128': cnn128, 'cnn32': cnn32, 'resnet20': resnet20}[sys.argv[1]]()
    net.train()
    xs = [x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in xs]
    times, count, end = [], 0, time.perf_counter() + float(sys.argv[3])
    while count < 20 or time.perf_counter() < end:
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(xs[count % BATCHES]), ys[count % BATCHES]).backward()
        optimizer.step()
        count += 1
        if count > 4:
            times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({'version': torch.__version__, 'times': times}))


main()
