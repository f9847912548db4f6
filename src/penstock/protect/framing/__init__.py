"""How a byte stream falls into frames: one file a framing. Each frame keeps its bytes, so it can pass unchanged."""
