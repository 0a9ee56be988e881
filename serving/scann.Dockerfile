# An image that serves exports with the index `scann`: over TensorFlow Serving's REST and gRPC, by
# this project's local server. Neither built nor run where it was written: there was no Docker.
#
# Why not TensorFlow Serving itself. ScaNN's operations live in `_scann_ops.so`, which is compiled
# against one TensorFlow and linked to its libtensorflow_framework.so.2: scann 1.4.2 goes with
# TensorFlow 2.20 and fails on 2.21 (an undefined symbol). The stock tensorflow_model_server has
# TensorFlow linked into it and loads no such library; what one preloads registers its operations
# with a TensorFlow that the server does not use. A server with these operations must be built from
# source with them linked in, as in github.com/google-research/google-research, scann/tf_serving,
# whose image google/tf-serving-scann has long stood at TensorFlow 2.11.
#
# What is known: this set of packages loads such exports in Python, and in C++ (cpp/, whose tests
# load the library). The local server is one Python process without batching, TLS or metrics: where
# that is too little, export with `--index ivf` and take the stock image.
FROM python:3.11-slim

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY multitask_recommender multitask_recommender
RUN useradd --system server
USER server

EXPOSE 8500 8501
ENTRYPOINT ["python", "-m", "multitask_recommender", "serve"]
# Every address of the container; which of the machine's it is reached at, docker-compose.yaml says.
CMD ["/models/recommender", "--host", "0.0.0.0"]
