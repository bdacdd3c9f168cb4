// Which way a convolution is computed.
//
// conv2d: x [n,h,w,c], filter [kh,kw,c/groups,o], bias [o]?, residual [n,oh,ow,o]? -> activation(x * filter + bias +
// residual) conv2dInputGradient: dy, filter, residual [n,h,w,c]?, mask [n,h,w,c]? -> dx + residual,
// 0 where the mask is not above 0 (the gradient of the relu that made the mask)          conv2dFilterGradient: x, dy -> dfilter ints = {strideH,
// strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW, groups, activation}
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

Conv convOf(const Tensor& x, const Tensor& filter, const Tensor& y, const int64_t* ints) {
  return {x.dims[0],      x.dims[1], x.dims[2], x.dims[3], y.dims[1], y.dims[2], y.dims[3], filter.dims[0],
          filter.dims[1], ints[0],   ints[1],   ints[2],   ints[3],   ints[6],   ints[7],   ints[8]};
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

Conv merged(Conv c) {
  c.groups /= groupsToMerge(c);
  return c;
}

size_t forwardScratch(const Call& call) {
  if (isDouble(call)) return 0;
  const Conv plain = convOf(call.in[0], call.in[1], call.out[0], call.ints), c = merged(plain);
  const size_t filter = mergedFilterBytes(plain);
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
      return gemm(g, *call.pool, scratch);
    }
    case Way::depthwise: return depthwiseForward(c, x, filter, y, epilogue, *call.pool);
    case Way::winograd: return winogradForward(c, x, filter, y, epilogue, *call.pool, scratch);
    default: return directForward(c, x, filter, y, epilogue, *call.pool, scratch);
  }
}

size_t inputGradientScratch(const Call& call) {
  if (isDouble(call)) return 0;
  const Conv plain = convOf(call.out[0], call.in[1], call.in[0], call.ints), c = merged(plain);
  const size_t filter = mergedFilterBytes(plain);
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
  const float *dy = call.in[0].as<float>(), *filter = widened(plain, call.in[1].as<float>(), call);
  float* dx = call.out[0].as<float>();
  const Epilogue epilogue{nullptr, optionalFloats(call, 2), Activation::none, optionalFloats(call, 3)};
  uint8_t* scratch = call.scratch + mergedFilterBytes(plain);
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
    case Way::winograd: return winogradInputGradient(c, dy, filter, dx, epilogue, *call.pool, scratch);
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
  const size_t filter = mergedFilterBytes(plain);
  if (filter) return filter + directFilterGradientScratch(c);
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
  const float *x = call.in[0].as<float>(), *dy = call.in[1].as<float>();
  float* dw = call.out[0].as<float>();
  uint8_t* scratch = call.scratch + mergedFilterBytes(plain);
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
    case Way::winograd: return winogradFilterGradient(c, x, dy, dw, *call.pool, scratch);
    default: return directFilterGradient(c, x, dy, dw, *call.pool, scratch);
  }
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(conv2d, {{"conv2d", forward, forwardScratch},
                 {"conv2dInputGradient", inputGradient, inputGradientScratch},
                 {"conv2dFilterGradient", filterGradient, filterGradientScratch}})
