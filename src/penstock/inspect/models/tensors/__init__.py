"""The numbers in model files, taken out without loading them.

``read`` tells the tensors of a PyTorch checkpoint (zip or the older stream) or of NumPy arrays, by name, kind and place
in the file; ``safetensors.write`` puts them into a file in which nothing can run. Pickles are walked opcode by opcode
into inert values: no name in them is imported, nothing is called.
"""
