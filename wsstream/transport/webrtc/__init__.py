"""The WebRTC transport, over aiortc."""
