"""The Open Inference Protocol over gRPC: thin, between the client and the dataplane."""
