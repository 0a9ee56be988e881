// Answers requests with a SavedModel through TensorFlow's C++ loader, the one that TF Serving uses:
// no Python and no code of this project, so the answers are what the files of an export say.
//
//   answer EXPORT REQUESTS ANSWERS [LIBRARY.so ...]
//
// REQUESTS is a TFRecord of `tensorflow.serving.PredictRequest`, the bytes that gRPC carries, and
// ANSWERS becomes one of `PredictResponse`, in the same order. A library brings further operations,
// such as ScaNN's. Exit status 1 with a sentence at the first request that fails.
//
// TensorFlow's pip package has no C++ classes for these two messages: they are read and written
// field by field, by the numbers of tensorflow_serving/apis/{model,predict}.proto.

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/unknown_field_set.h"
#include "tensorflow/c/c_api.h"
#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/cc/saved_model/util.h"
#include "tensorflow/core/lib/io/record_reader.h"
#include "tensorflow/core/lib/io/record_writer.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session.h"

namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using Inputs = google::protobuf::Map<std::string, tensorflow::TensorProto>;

constexpr int kRequestModelSpec = 1;
constexpr int kRequestInputs = 2;
constexpr int kModelSpecSignatureName = 3;
constexpr int kResponseOutputs = 1;
constexpr int kEntryKey = 1;  // of every map
constexpr int kEntryValue = 2;
constexpr char kServe[] = "serve";  // the tag of the graph that is served

void Check(const absl::Status& status, const std::string& where) {
  if (!status.ok()) throw std::runtime_error(where + ": " + status.ToString());
}

// Every value of a field of a message that holds bytes.
std::vector<std::string> Values(const std::string& message, int number) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(message)) throw std::runtime_error("a record is no PredictRequest");
  std::vector<std::string> values;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == number && field.type() == UnknownField::TYPE_LENGTH_DELIMITED)
      values.push_back(field.length_delimited());
  }
  return values;
}

// The value of a field that is there once; proto3 leaves it out where it is empty.
std::string Value(const std::string& message, int number) {
  const std::vector<std::string> values = Values(message, number);
  return values.empty() ? "" : values.back();
}

Inputs ParseInputs(const std::string& request) {
  Inputs inputs;
  for (const std::string& entry : Values(request, kRequestInputs)) {
    const std::string name = Value(entry, kEntryKey);
    if (!inputs[name].ParseFromString(Value(entry, kEntryValue)))
      throw std::runtime_error("input '" + name + "' is no TensorProto");
  }
  return inputs;
}

void AddOutput(const std::string& name, const tensorflow::Tensor& tensor,
               UnknownFieldSet* response) {
  tensorflow::TensorProto proto;
  tensor.AsProtoField(&proto);
  UnknownFieldSet entry;
  entry.AddLengthDelimited(kEntryKey, name);
  entry.AddLengthDelimited(kEntryValue, proto.SerializeAsString());
  entry.SerializeToString(response->AddLengthDelimited(kResponseOutputs));
}

std::string Answer(const tensorflow::SavedModelBundle& bundle, const std::string& request) {
  const std::string name = Value(Value(request, kRequestModelSpec), kModelSpecSignatureName);
  const auto& signatures = bundle.GetSignatures();
  if (!signatures.contains(name)) throw std::runtime_error("no signature '" + name + "' here");
  const tensorflow::SignatureDef& signature = signatures.at(name);

  std::vector<std::pair<std::string, tensorflow::Tensor>> inputs;  // what is absent: its default
  Check(tensorflow::saved_model::GetInputValues(signature, ParseInputs(request), inputs), name);
  std::vector<std::string> names, tensors;
  for (const auto& [output, info] : signature.outputs()) {
    names.push_back(output);
    tensors.push_back(info.name());
  }
  std::vector<tensorflow::Tensor> outputs;
  Check(bundle.session->Run(inputs, tensors, {}, &outputs), name);

  UnknownFieldSet response;
  for (size_t i = 0; i < outputs.size(); ++i) AddOutput(names[i], outputs[i], &response);
  std::string answer;
  response.SerializeToString(&answer);
  return answer;
}

void LoadLibrary(const std::string& path) {
  std::unique_ptr<TF_Status, decltype(&TF_DeleteStatus)> status(TF_NewStatus(), TF_DeleteStatus);
  TF_LoadLibrary(path.c_str(), status.get());  // stays loaded as long as the process lives
  if (TF_GetCode(status.get()) != TF_OK)
    throw std::runtime_error(path + ": " + TF_Message(status.get()));
}

void AnswerAll(const std::string& path, const std::string& requests, const std::string& answers) {
  tensorflow::SavedModelBundle bundle;
  Check(tensorflow::LoadSavedModel({}, {}, path, {kServe}, &bundle), path);

  tensorflow::Env* env = tensorflow::Env::Default();
  std::unique_ptr<tensorflow::RandomAccessFile> input;
  Check(env->NewRandomAccessFile(requests, &input), requests);
  std::unique_ptr<tensorflow::WritableFile> output;
  Check(env->NewWritableFile(answers, &output), answers);
  tensorflow::io::SequentialRecordReader reader(input.get());
  tensorflow::io::RecordWriter writer(output.get());
  tensorflow::tstring record;
  absl::Status status;
  while ((status = reader.ReadRecord(&record)).ok())
    Check(writer.WriteRecord(Answer(bundle, std::string(record))), answers);
  if (!absl::IsOutOfRange(status)) Check(status, requests);  // which the end of the file is
  Check(writer.Close(), answers);
  Check(output->Close(), answers);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: answer EXPORT REQUESTS ANSWERS [LIBRARY.so ...]\n";
    return 2;
  }
  try {
    for (int i = 4; i < argc; ++i) LoadLibrary(argv[i]);
    AnswerAll(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << "answer: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
