"""The Open Inference Protocol (V2), over REST and gRPC, on the pipeline of /v1."""
