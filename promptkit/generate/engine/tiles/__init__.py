"""The engine on processors with matrix units (AMX): products and attention in tiles, all layers in one call."""
