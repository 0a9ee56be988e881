"""`serve`: a local stand-in for TensorFlow Serving. It is not a product: production is TF Serving.

It answers what TF Serving answers, at the same REST paths and over the same gRPC services, on a
machine without Docker and in tests. Where it differs, it is the stricter one: it refuses unknown
inputs and keys, which TF Serving's columnar form passes over, and holds requests to its limits. In
one thing it is kinder: inputs with defaults may be left out over REST too, where TF Serving asks
for all of them (its gRPC does not).

command      the arguments, before TensorFlow is there
server       sockets, signals, and what runs beside each other
rest_api, grpc_api   the two front ends: requests read, answers written, faults as codes
service      what both do with a request: admit, find, check, run
models       the versions of an export, watched for new ones; `loading` reads one
signatures   what a signature asks of its inputs: the checks before the graph
"""
