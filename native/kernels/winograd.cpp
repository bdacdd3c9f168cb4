#include "conv2d.h"
namespace fathom::FATHOM_ISA {
bool winogradFits(const Conv&) { return false; }
size_t winogradForwardScratch(const Conv&) { return 0; }
void winogradForward(const Conv&, const float*, const float*, float*, const Epilogue&, Pool&, uint8_t*) {}
bool winogradInputGradientFits(const Conv&) { return false; }
size_t winogradInputGradientScratch(const Conv&) { return 0; }
void winogradInputGradient(const Conv&, const float*, const float*, float*, Pool&, uint8_t*) {}
size_t winogradFilterGradientScratch(const Conv&) { return 0; }
void winogradFilterGradient(const Conv&, const float*, const float*, float*, Pool&, uint8_t*) {}
}  // namespace fathom::FATHOM_ISA
