// Searches, prints why each product is there, and tells of a click on the first.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/health" // for healthCheckConfig
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	common "example.com/shop/gen/wherefore/common/v1"
	shop "example.com/shop/gen/wherefore/orchestrator/v1"
)

// Spreads calls over all addresses of the target that serve, and tries UNAVAILABLE again. No timeout: each call has
// its own deadline.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "wherefore.orchestrator.v1.SearchService"},
  "methodConfig": [{
    "name": [{"service": "wherefore.orchestrator.v1.SearchService"},
             {"service": "wherefore.orchestrator.v1.UserEventService", "method": "Write"}],
    "retryPolicy": {"maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"]}
  }]
}`

func main() {
	query := "steel kettle"
	if len(os.Args) > 1 {
		query = strings.Join(os.Args[1:], " ")
	}
	if err := run(query); err != nil {
		for _, detail := range status.Convert(err).Details() {
			log.Printf("%T %v", detail, detail) // google.rpc.BadRequest names fields, RetryInfo when to come again
		}
		log.Fatal(err)
	}
}

func run(query string) error {
	channel, err := connect()
	if err != nil {
		return err
	}
	defer channel.Close()

	user := &common.UserContext{UserId: "go-example"}
	ctx, cancel := call(2 * time.Second)
	defer cancel()
	page, err := shop.NewSearchServiceClient(channel).Search(ctx, &shop.SearchRequest{
		Query: query, PageSize: 3, User: user,
	})
	if err != nil {
		return err
	}
	for _, result := range page.Results {
		fmt.Printf("%s %s - %s\n", result.Product.Id, title(result.Product), result.Reason.GetText())
	}
	if len(page.Results) == 0 {
		return nil
	}

	ctx, cancel = call(5 * time.Second)
	defer cancel()
	written, err := shop.NewUserEventServiceClient(channel).Write(ctx, &shop.UserEventServiceWriteRequest{
		Event: &common.UserEvent{
			Id:               newID(), // sent again, it is dropped
			Type:             common.UserEventType_USER_EVENT_TYPE_CLICK,
			UserId:           user.UserId,
			Query:            query,
			AttributionToken: page.AttributionToken,
			Products:         []*common.ProductDetail{{ProductId: page.Results[0].Product.Id, Position: 1}},
		},
	})
	if err != nil {
		return err
	}
	fmt.Println("clicked:", written.Event.Products[0].ProductId)
	return nil
}

func connect() (*grpc.ClientConn, error) {
	target := os.Getenv("WHEREFORE_TARGET")
	if target == "" {
		target = "localhost:7700"
	}
	options := []grpc.DialOption{grpc.WithDefaultServiceConfig(serviceConfig)}
	if ca := os.Getenv("WHEREFORE_CA"); ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(pem)
		secured := credentials.NewTLS(&tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12})
		options = append(options, grpc.WithTransportCredentials(secured))
	} else {
		options = append(options, grpc.WithInsecure())
	}
	return grpc.Dial(target, options...)
}

// call returns the context of one call: its deadline, its id in every log, and the key where one is set.
func call(timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", newID())
	if key := os.Getenv("WHEREFORE_API_KEY"); key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-api-key", key)
	}
	return ctx, cancel
}

func title(product *common.Product) string {
	if text, ok := product.Titles["en"]; ok {
		return text
	}
	for _, text := range product.Titles {
		return text
	}
	return ""
}

func newID() string {
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(random)
}
