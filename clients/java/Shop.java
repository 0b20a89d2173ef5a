import com.wherefore.common.v1.Product;
import com.wherefore.common.v1.ProductDetail;
import com.wherefore.common.v1.UserContext;
import com.wherefore.common.v1.UserEvent;
import com.wherefore.common.v1.UserEventType;
import com.wherefore.orchestrator.v1.Result;
import com.wherefore.orchestrator.v1.SearchRequest;
import com.wherefore.orchestrator.v1.SearchResponse;
import com.wherefore.orchestrator.v1.SearchServiceGrpc;
import com.wherefore.orchestrator.v1.UserEventServiceGrpc;
import com.wherefore.orchestrator.v1.UserEventServiceWriteRequest;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Searches, prints why each product is there, and tells of a click on the first. */
public final class Shop {
    private static final String SEARCH = "wherefore.orchestrator.v1.SearchService";
    private static final String EVENTS = "wherefore.orchestrator.v1.UserEventService";

    /** Shares calls among all addresses that serve, and tries UNAVAILABLE again; each call has its own deadline. */
    private static final Map<String, Object> SERVICE_CONFIG = Map.of(
            "loadBalancingConfig", List.of(Map.of("round_robin", Map.of())),
            "healthCheckConfig", Map.of("serviceName", SEARCH),
            "methodConfig", List.of(Map.of(
                    "name", List.of(Map.of("service", SEARCH), Map.of("service", EVENTS, "method", "Write")),
                    "retryPolicy", Map.of(
                            "maxAttempts", 3.0, "initialBackoff", "0.05s", "maxBackoff", "0.5s",
                            "backoffMultiplier", 2.0, "retryableStatusCodes", List.of("UNAVAILABLE")))));

    private Shop() {}

    public static void main(String[] arguments) throws Exception {
        String query = arguments.length > 0 ? String.join(" ", arguments) : "steel kettle";
        ManagedChannel channel = connect();
        try {
            run(channel, query);
        } catch (StatusRuntimeException failed) {
            // The text names the fields at fault; io.grpc.protobuf.StatusProto reads them one by one.
            System.err.println(failed.getStatus());
            System.exit(1);
        } finally {
            channel.shutdown().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private static void run(ManagedChannel channel, String query) {
        UserContext user = UserContext.newBuilder().setUserId("java-example").build();
        SearchResponse page = SearchServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(2, TimeUnit.SECONDS)
                .withInterceptors(call())
                .search(SearchRequest.newBuilder().setQuery(query).setPageSize(3).setUser(user).build());
        for (Result result : page.getResultsList()) {
            System.out.printf(
                    "%s %s - %s%n",
                    result.getProduct().getId(), title(result.getProduct()), result.getReason().getText());
        }
        if (page.getResultsCount() == 0) {
            return;
        }
        UserEvent event = UserEvent.newBuilder()
                .setId(newId()) // sent again, it is dropped
                .setType(UserEventType.USER_EVENT_TYPE_CLICK)
                .setUserId(user.getUserId())
                .setQuery(query)
                .setAttributionToken(page.getAttributionToken())
                .addProducts(ProductDetail.newBuilder()
                        .setProductId(page.getResults(0).getProduct().getId())
                        .setPosition(1))
                .build();
        UserEvent written = UserEventServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(5, TimeUnit.SECONDS)
                .withInterceptors(call())
                .write(UserEventServiceWriteRequest.newBuilder().setEvent(event).build())
                .getEvent();
        System.out.println("clicked: " + written.getProducts(0).getProductId());
    }

    private static ManagedChannel connect() throws Exception {
        NettyChannelBuilder builder = NettyChannelBuilder.forTarget(setting("WHEREFORE_TARGET", "localhost:7700"))
                .defaultServiceConfig(SERVICE_CONFIG)
                .enableRetry();
        String ca = setting("WHEREFORE_CA", "");
        return ca.isEmpty()
                ? builder.usePlaintext().build()
                : builder.sslContext(GrpcSslContexts.forClient().trustManager(new File(ca)).build()).build();
    }

    /** What one call shows: its id in every log, and the key where one is set. */
    private static ClientInterceptor call() {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER), newId());
        String key = setting("WHEREFORE_API_KEY", "");
        if (!key.isEmpty()) {
            metadata.put(Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER), key);
        }
        return MetadataUtils.newAttachHeadersInterceptor(metadata);
    }

    private static String title(Product product) {
        Map<String, String> titles = product.getTitlesMap();
        return titles.getOrDefault("en", titles.values().stream().findFirst().orElse(""));
    }

    private static String setting(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    private static String newId() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
