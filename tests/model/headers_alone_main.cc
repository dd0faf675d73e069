// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0
// Linked with one file for each header of the model: fails to link if one of them defines a
// function that is not inline. The headers need neither exceptions nor RTTI.
int main() { return 0; }
