// Debian 12's gRPC for Go (1.33) is built on a protobuf that is older than the generated messages: each goes to its own.
package main

import (
	v1 "github.com/golang/protobuf/proto"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
)

type debianCodec struct{}

func (debianCodec) Name() string { return "proto" }

func (debianCodec) Marshal(message interface{}) ([]byte, error) {
	if ours, ok := message.(proto.Message); ok {
		return proto.Marshal(ours)
	}
	return v1.Marshal(message.(v1.Message))
}

func (debianCodec) Unmarshal(data []byte, into interface{}) error {
	if ours, ok := into.(proto.Message); ok {
		return proto.Unmarshal(data, ours)
	}
	return v1.Unmarshal(data, into.(v1.Message))
}

func init() { encoding.RegisterCodec(debianCodec{}) }
