// Searches, prints why each product is there, and tells of a click on the first.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Product } from "./gen/wherefore/common/v1/product_pb.js";
import { UserEventType } from "./gen/wherefore/common/v1/user_event_pb.js";
import { SearchService } from "./gen/wherefore/orchestrator/v1/search_service_pb.js";
import { UserEventService } from "./gen/wherefore/orchestrator/v1/user_event_service_pb.js";

const newId = () => randomUUID().replaceAll("-", "");

/** What each call shows: its id in every log, and the key where one is set. */
const identified: Interceptor = (next) => (request) => {
  request.header.set("x-request-id", newId());
  const key = process.env["WHEREFORE_API_KEY"];
  if (key) request.header.set("x-api-key", key);
  return next(request);
};

const ca = process.env["WHEREFORE_CA"];
const target = process.env["WHEREFORE_TARGET"] ?? "localhost:7700";
const transport = createGrpcTransport({
  baseUrl: `${ca ? "https" : "http"}://${target}`,
  nodeOptions: ca ? { ca: readFileSync(ca) } : {},
  interceptors: [identified],
});
const searches = createClient(SearchService, transport);
const events = createClient(UserEventService, transport);

/** Calls again while the server cannot be reached: three times in all. */
async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (let pause = 50; ; pause *= 2) {
    try {
      return await call();
    } catch (error) {
      if (pause > 100 || ConnectError.from(error).code !== Code.Unavailable) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

const title = (product?: Product) => product?.titles["en"] ?? Object.values(product?.titles ?? {})[0] ?? "";

async function run(query: string): Promise<void> {
  const userId = "typescript-example";
  const page = await persistently(() =>
    searches.search({ query, pageSize: 3, user: { userId } }, { timeoutMs: 2_000 }),
  );
  for (const { product, reason } of page.results) {
    console.log(`${product?.id} ${title(product)} - ${reason?.text}`);
  }
  const first = page.results[0]?.product;
  if (!first) return;
  const event = {
    id: newId(), // sent again, it is dropped
    type: UserEventType.CLICK,
    userId,
    query,
    attributionToken: page.attributionToken,
    products: [{ productId: first.id, position: 1 }],
  };
  const written = await persistently(() => events.write({ event }, { timeoutMs: 5_000 }));
  console.log("clicked:", written.event?.products[0]?.productId);
}

try {
  await run(process.argv.slice(2).join(" ") || "steel kettle");
} catch (error) {
  console.error(ConnectError.from(error).message); // the text names the fields at fault
  process.exitCode = 1;
}
