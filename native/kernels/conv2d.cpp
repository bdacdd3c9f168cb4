// Which way a convolution is computed. ints = {strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH,
// dilationW, groups, activation, pooled}
//
// conv2d: x [n,h,w,c], filter [kh,kw,c/groups,o], bias [o]?, residual [n,oh,ow,o]? -> activation(x * filter + bias +
//   residual); pooled: the largest of each 2 × 2 of it and, if wanted, which of the four that is, uint8
// conv2dInputGradient: dy, filter, residual [n,h,w,c]?, mask [n,h,w,c]?, which? -> dx + residual, 0 where the mask is not
//   above 0 (the gradient of the relu that made the mask)
// conv2dFilterGradient: x, dy, which? -> dfilter
//   With `which`, dy is the gradient of the pooled output.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

Conv convOf(const Tensor& x, const Tensor& filter, const Tensor& y, const int64_t* ints) {
  // Not y's height and width, which may be pooled.
  const auto outputs = [&](int d) {
    const int64_t room = x.dims[1 + d] + ints[2 + d] + ints[4 + d] - (filter.dims[d] - 1) * ints[6 + d] - 1;
    return room < 0 ? 0 : room / ints[d] + 1;
  };
  return {x.dims[0],      x.dims[1], x.dims[2], x.dims[3], outputs(0), outputs(1), y.dims[3], filter.dims[0],
          filter.dims[1], ints[0],   ints[1],   ints[2],   ints[3],    ints[6],    ints[7],   ints[8]};
}

namespace {

enum class Way { generic, pointwise, depthwise, winograd, direct };

bool isDouble(const Call& call) { return call.out[0].dtype == DType::float64; }
bool simpleDepthwise(const Conv& c) { return c.depthwise() && c.groupOut() == 1; }

Way forwardWay(const Conv& c) {
  if (c.pointwise()) return Way::pointwise;
  if (simpleDepthwise(c)) return Way::depthwise;
  return winogradFits(c) ? Way::winograd : Way::direct;
}
Way inputGradientWay(const Conv& c) {
  if (c.pointwise()) return Way::pointwise;
  if (simpleDepthwise(c)) return Way::depthwise;
  if (winogradInputGradientFits(c)) return Way::winograd;
  return directInputGradientFits(c) ? Way::direct : Way::generic;
}

bool pools(const Call& call) { return call.intCount > 10 && call.ints[10]; }
bool poolsWithin(const Conv& c) { return forwardWay(c) == Way::winograd || directPoolFits(c); }
size_t outputBytes(const Conv& c) {
  return ceilDiv(c.images * c.outHeight * c.outWidth * c.outChannels * sizeof(float), 64) * 64;
}

// A gradient as the ways that take images want it, and in how many bytes of scratch it is made for the others.
Images imagesOf(const Conv& c, const Call& call, int gradient, int which) {
  const Tensor* index = optional(call, which);
  return {call.in[gradient].as<float>(), index ? index->as<uint8_t>() : nullptr, c.outHeight, c.outWidth, c.outChannels};
}
size_t unpooledBytes(const Conv& c, const Call& call, int which, Way way) {
  const bool within = way == Way::winograd && c.outHeight * c.outWidth * c.outChannels <= kMostImageBuffer;
  return call.inCount > which && call.in[which].rank > 0 && !within ? outputBytes(c) : 0;
}

Conv merged(Conv c) {
  c.groups /= groupsToMerge(c);
  return c;
}

size_t forwardScratch(const Call& call) {
  if (isDouble(call)) return 0;
  const Conv plain = convOf(call.in[0], call.in[1], call.out[0], call.ints), c = merged(plain);
  size_t filter = mergedFilterBytes(plain);
  if (pools(call)) {
    if (poolsWithin(c) && forwardWay(c) != Way::winograd) return filter + directForwardScratch(c);
    if (!poolsWithin(c)) filter += outputBytes(c);
  }
  switch (forwardWay(c)) {
    case Way::pointwise:
      return filter + gemmScratch(c.images * c.height * c.width, c.outChannels, c.channels, 1, false);
    case Way::winograd: return filter + winogradForwardScratch(c);
    case Way::direct: return filter + directForwardScratch(c);
    default: return filter;
  }
}

// The filter, or where groups are merged a copy of it for fewer groups in the scratch.
const float* widened(const Conv& plain, const float* filter, const Call& call) {
  if (groupsToMerge(plain) == 1) return filter;
  float* wide = reinterpret_cast<float*>(call.scratch);
  mergeFilter(plain, filter, wide, *call.pool);
  return wide;
}

void forward(const Call& call) {
  const Conv plain = convOf(call.in[0], call.in[1], call.out[0], call.ints), c = merged(plain);
  if (c.empty()) return;
  const auto activation = call.intCount > 9 ? Activation(call.ints[9]) : Activation::none;
  if (isDouble(call)) {
    const Tensor *bias = optional(call, 2), *residual = optional(call, 3);
    return genericForward<double>(plain, call.in[0].as<double>(), call.in[1].as<double>(),
                                  bias ? bias->as<double>() : nullptr, residual ? residual->as<double>() : nullptr,
                                  activation, call.out[0].as<double>(), *call.pool);
  }
  const float *x = call.in[0].as<float>(), *filter = widened(plain, call.in[1].as<float>(), call);
  float* y = call.out[0].as<float>();
  uint8_t* scratch = call.scratch + mergedFilterBytes(plain);
  const Epilogue epilogue{optionalFloats(call, 2), optionalFloats(call, 3), activation};
  Pooled pooled;
  if (pools(call)) {
    pooled = {y, call.outCount > 1 ? call.out[1].as<uint8_t>() : nullptr, c.outHeight / 2, c.outWidth / 2};
    if (poolsWithin(c)) {
      if (forwardWay(c) == Way::winograd)
        return winogradForward(c, x, filter, nullptr, epilogue, pooled, *call.pool, scratch);
      return directForward(c, x, filter, nullptr, epilogue, pooled, *call.pool, scratch);
    }
    y = reinterpret_cast<float*>(scratch);
    scratch += outputBytes(c);
  }
  const auto finish = [&] {
    if (pooled.y) poolImages(c, y, pooled, *call.pool);
  };
  switch (forwardWay(c)) {
    case Way::pointwise: {
      GemmBatch g;
      g.gemm = {c.images * c.height * c.width,
                c.outChannels,
                c.channels,
                x,
                c.channels,
                false,
                filter,
                c.outChannels,
                false,
                y,
                c.outChannels,
                false,
                epilogue};
      gemm(g, *call.pool, scratch);
      return finish();
    }
    case Way::depthwise: depthwiseForward(c, x, filter, y, epilogue, *call.pool); break;
    case Way::winograd: winogradForward(c, x, filter, y, epilogue, {}, *call.pool, scratch); break;
    default: directForward(c, x, filter, y, epilogue, {}, *call.pool, scratch);
  }
  finish();
}

// Makes the gradient that was pooled in the scratch, where the way wants all of it; moves the scratch on.
const float* unpooled(Images& images, const Conv& c, const Call& call, int which, Way way, uint8_t*& scratch) {
  const size_t bytes = unpooledBytes(c, call, which, way);
  if (bytes > 0) {
    float* all = reinterpret_cast<float*>(scratch);
    scratch += bytes;
    images.unpoolAll(c.images, all, *call.pool);
    images.x = all;
    images.which = nullptr;
  }
  return images.x;
}

size_t inputGradientScratch(const Call& call) {
  if (isDouble(call)) return 0;
  const Conv plain = convOf(call.out[0], call.in[1], call.in[0], call.ints), c = merged(plain);
  const size_t filter = mergedFilterBytes(plain) + unpooledBytes(c, call, 4, inputGradientWay(c));
  switch (inputGradientWay(c)) {
    case Way::pointwise: return filter + gemmScratch(c.images * c.height * c.width, c.channels, c.outChannels, 1, true);
    case Way::winograd: return filter + winogradInputGradientScratch(c);
    case Way::direct: return filter + directInputGradientScratch(c);
    default: return filter;
  }
}

void inputGradient(const Call& call) {
  const Conv plain = convOf(call.out[0], call.in[1], call.in[0], call.ints), c = merged(plain);
  if (c.images * c.height * c.width * c.channels == 0) return;
  if (isDouble(call))
    return genericInputGradient<double>(plain, call.in[0].as<double>(), call.in[1].as<double>(),
                                        call.out[0].as<double>(), *call.pool);
  const float* filter = widened(plain, call.in[1].as<float>(), call);
  float* dx = call.out[0].as<float>();
  Images images = imagesOf(c, call, 0, 4);
  const Epilogue epilogue{nullptr, optionalFloats(call, 2), Activation::none, optionalFloats(call, 3)};
  uint8_t* scratch = call.scratch + mergedFilterBytes(plain);
  const float* dy = unpooled(images, c, call, 4, inputGradientWay(c), scratch);
  switch (inputGradientWay(c)) {
    case Way::pointwise: {
      GemmBatch g;
      g.gemm = {c.images * c.height * c.width,
                c.channels,
                c.outChannels,
                dy,
                c.outChannels,
                false,
                filter,
                c.outChannels,
                true,
                dx,
                c.channels,
                false,
                epilogue};
      return gemm(g, *call.pool, scratch);
    }
    case Way::winograd: return winogradInputGradient(c, images, filter, dx, epilogue, *call.pool, scratch);
    case Way::direct: return directInputGradient(c, dy, filter, dx, epilogue, *call.pool, scratch);
    case Way::depthwise: depthwiseInputGradient(c, dy, filter, dx, *call.pool); break;
    default: genericInputGradient<float>(c, dy, filter, dx, *call.pool);
  }
  if (epilogue.nothing()) return;
  call.pool->run(c.images * c.height, [&](int64_t row, int) {
    const int64_t at = row * c.width * c.channels;
    finishTile(dx + at, c.channels, dx + at, c.channels, c.width, c.channels, epilogue.at(0, at));
  });
}

size_t filterGradientScratch(const Call& call) {
  if (isDouble(call)) return 0;
  const Conv plain = convOf(call.in[0], call.out[0], call.in[1], call.ints), c = merged(plain);
  const size_t filter = mergedFilterBytes(plain) + unpooledBytes(c, call, 2, forwardWay(c));
  if (mergedFilterBytes(plain)) return filter + directFilterGradientScratch(c);
  switch (forwardWay(c)) {
    case Way::pointwise:
      return filter + gemmScratch(c.channels, c.outChannels, c.images * c.height * c.width, 1, false);
    case Way::depthwise: return filter + depthwiseFilterGradientScratch(c);
    case Way::winograd: return filter + winogradFilterGradientScratch(c);
    default: return filter + directFilterGradientScratch(c);
  }
}

void filterGradient(const Call& call) {
  const Conv plain = convOf(call.in[0], call.out[0], call.in[1], call.ints), c = merged(plain);
  if (plain.filterSize() == 0) return;
  if (c.empty()) {
    std::memset(call.out[0].data, 0, plain.filterSize() * sizeOf(call.out[0].dtype));
    return;
  }
  if (isDouble(call))
    return genericFilterGradient<double>(plain, call.in[0].as<double>(), call.in[1].as<double>(),
                                         call.out[0].as<double>(), *call.pool);
  const float* x = call.in[0].as<float>();
  float* dw = call.out[0].as<float>();
  Images images = imagesOf(c, call, 1, 2);
  uint8_t* scratch = call.scratch + mergedFilterBytes(plain);
  const float* dy = unpooled(images, c, call, 2, forwardWay(c), scratch);
  if (groupsToMerge(plain) > 1) {
    float* wide = reinterpret_cast<float*>(call.scratch);
    directFilterGradient(c, x, dy, wide, *call.pool, scratch);
    return splitFilter(plain, wide, dw, *call.pool);
  }
  switch (forwardWay(c)) {
    case Way::pointwise: {
      GemmBatch g;
      g.gemm = {c.channels, c.outChannels, c.images * c.height * c.width,
                x,          c.channels,    true,
                dy,         c.outChannels, false,
                dw,         c.outChannels, false,
                {}};
      return gemm(g, *call.pool, scratch);
    }
    case Way::depthwise: return depthwiseFilterGradient(c, x, dy, dw, *call.pool, scratch);
    case Way::winograd: return winogradFilterGradient(c, x, images, dw, *call.pool, scratch);
    default: return directFilterGradient(c, x, dy, dw, *call.pool, scratch);
  }
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(conv2d, {{"conv2d", forward, forwardScratch},
                 {"conv2dInputGradient", inputGradient, inputGradientScratch},
                 {"conv2dFilterGradient", filterGradient, filterGradientScratch}})
