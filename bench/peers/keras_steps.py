"""Keras's side of `npm run bench -- steps`, on TensorFlow: prints the milliseconds of single training steps of one workload as JSON.
A step is forward, loss, gradients, update, on the next of 16 batches, by the compiled train function.
Usage: keras_steps.py NAME THREADS SECONDS OPTIONS, options among default, jit, bf16, joined by commas."""
import json
import os
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np
import tensorflow as tf
import keras
from keras import layers as L

BATCHES = 16
NAME, THREADS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
OPTIONS = sys.argv[4].split(',')


def mlp():
    return keras.Sequential([L.Input((784,)), L.Dense(128, 'relu'), L.Dense(10)]), (32, 784), 10, keras.optimizers.Adam()


def cnn128():
    net = keras.Sequential([
        L.Input((28, 28, 1)), L.Conv2D(32, 3, activation='relu'), L.Conv2D(64, 3, activation='relu'), L.MaxPooling2D(),
        L.Dropout(0.25), L.Flatten(), L.Dense(128, 'relu'), L.Dropout(0.5), L.Dense(10),
    ])
    return net, (128, 28, 28, 1), 10, keras.optimizers.Adadelta(1.0)


def cnn32():
    net = keras.Sequential([
        L.Input((28, 28, 1)), L.Conv2D(32, 3, activation='relu'), L.MaxPooling2D(), L.Conv2D(64, 3, activation='relu'),
        L.MaxPooling2D(), L.Conv2D(64, 3, activation='relu'), L.Flatten(), L.Dense(64, 'relu'), L.Dense(10),
    ])
    return net, (32, 28, 28, 1), 10, keras.optimizers.Adam()


def lstm():
    net = keras.Sequential([L.Input((50, 1)), L.LSTM(64, return_sequences=True), L.LSTM(32), L.Dense(1)])
    return net, (32, 50, 1), None, keras.optimizers.Adam()


def transformer():
    tokens = L.Input((64,), dtype='int32')
    x = L.Embedding(10000, 128)(tokens)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(4, 32)(x, x))
    x = L.LayerNormalization()(x + L.Dense(128)(L.Dense(512, 'relu')(x)))
    return keras.Model(tokens, L.Dense(2)(L.GlobalAveragePooling1D()(x))), (32, 64), 2, keras.optimizers.Adam()


def resnet20():
    def convolution(x, filters, stride):
        return L.BatchNormalization()(L.Conv2D(filters, 3, strides=stride, padding='same', use_bias=False)(x))

    pixels = L.Input((32, 32, 3))
    x, channels = L.ReLU()(convolution(pixels, 16, 1)), 16
    for filters, first in ((16, 1), (32, 2), (64, 2)):
        for k in range(3):
            stride = first if k == 0 else 1
            same = stride == 1 and channels == filters
            path = x if same else L.Conv2D(filters, 1, strides=stride, use_bias=False)(x)
            x = L.ReLU()(convolution(L.ReLU()(convolution(x, filters, stride)), filters, 1) + path)
            channels = filters
    net = keras.Model(pixels, L.Dense(10)(L.GlobalAveragePooling2D()(x)))
    return net, (64, 32, 32, 3), 10, keras.optimizers.SGD(0.1, 0.9)


def main():
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    keras.utils.set_random_seed(0)
    if 'bf16' in OPTIONS:
        keras.mixed_precision.set_global_policy('mixed_bfloat16')
    workloads = dict(mlp=mlp, cnn128=cnn128, cnn32=cnn32, lstm=lstm, transformer=transformer, resnet20=resnet20)
    net, shape, classes, optimizer = workloads[NAME]()
    loss = 'mse' if classes is None else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=optimizer, loss=loss, jit_compile='jit' in OPTIONS)
    if NAME == 'transformer':
        xs = np.random.randint(0, 10000, (BATCHES, *shape)).astype('int32')
    else:
        xs = np.random.rand(BATCHES, *shape).astype('float32')
    if classes is None:
        ys = np.random.rand(BATCHES, shape[0], 1).astype('float32')
    else:
        ys = np.random.randint(0, classes, (BATCHES, shape[0])).astype('int32')
    net.make_train_function()
    batches = iter(tf.data.Dataset.from_tensor_slices((xs, ys)).cache().repeat().prefetch(2))

    def step():
        logs = net.train_function(batches)
        value = next(iter(logs.values())) if isinstance(logs, dict) else logs
        float(np.asarray(value).sum())

    for _ in range(BATCHES + 4):
        step()
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({'version': f'{keras.__version__} (TensorFlow {tf.__version__})', 'times': times}))


main()
