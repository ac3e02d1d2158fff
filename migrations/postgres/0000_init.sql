CREATE TABLE "initial_stocks" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"quantity" bigint NOT NULL,
	CONSTRAINT "initial_stocks_quantity" CHECK (quantity >= 0)
);
--> statement-breakpoint
CREATE TABLE "ledger" (
	"id" bigint PRIMARY KEY NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"name" text COLLATE "C" NOT NULL,
	"type" text COLLATE "C" NOT NULL,
	"quantity" bigint NOT NULL,
	"price_cents" bigint NOT NULL,
	"term" bigint NOT NULL,
	"created_at" text COLLATE "C" NOT NULL,
	CONSTRAINT "ledger_id" CHECK (id >= 1),
	CONSTRAINT "ledger_type" CHECK (type IN ('buy', 'sell', 'restock')),
	CONSTRAINT "ledger_quantity" CHECK (quantity > 0),
	CONSTRAINT "ledger_price_cents" CHECK (price_cents > 0),
	CONSTRAINT "ledger_term" CHECK (term >= 1)
);
--> statement-breakpoint
CREATE TABLE "migrations" (
	"number" bigint PRIMARY KEY NOT NULL,
	"name" text COLLATE "C" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "register" (
	"term" bigint NOT NULL,
	"leader" bigint NOT NULL,
	"head" bigint NOT NULL,
	"life" text COLLATE "C" NOT NULL,
	"first_term" bigint DEFAULT 0 NOT NULL,
	"lease_ms" bigint DEFAULT 0 NOT NULL,
	"ended_cleanly" bigint DEFAULT 0 NOT NULL,
	"stock_count" bigint DEFAULT 0 NOT NULL,
	"last_rejection" bigint DEFAULT 0 NOT NULL,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"holder" text COLLATE "C" DEFAULT '' NOT NULL,
	"beat" bigint DEFAULT 0 NOT NULL,
	"timeline" bigint DEFAULT 0 NOT NULL,
	"writes" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "register_term" CHECK (term >= 0),
	CONSTRAINT "register_leader" CHECK (leader >= 0),
	CONSTRAINT "register_head" CHECK (head >= 0),
	CONSTRAINT "register_first_term" CHECK (first_term >= 0),
	CONSTRAINT "register_lease_ms" CHECK (lease_ms >= 0),
	CONSTRAINT "register_ended_cleanly" CHECK (ended_cleanly IN (0, 1))
);
--> statement-breakpoint
CREATE TABLE "rejections" (
	"key" text COLLATE "C" PRIMARY KEY NOT NULL,
	"fingerprint" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C" NOT NULL,
	"created_at" text COLLATE "C" NOT NULL,
	"place" bigint NOT NULL,
	CONSTRAINT "rejections_reason" CHECK (reason IN ('INVALID_STOCKNAME', 'INSUFFICIENT_QUANTITY'))
);
--> statement-breakpoint
CREATE TABLE "stocks" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"price_cents" bigint NOT NULL,
	"quantity" bigint NOT NULL,
	"volume" bigint NOT NULL,
	"rev" bigint NOT NULL,
	CONSTRAINT "stocks_name" CHECK (name <> ''),
	CONSTRAINT "stocks_price_cents" CHECK (price_cents > 0),
	CONSTRAINT "stocks_quantity" CHECK (quantity >= 0),
	CONSTRAINT "stocks_volume" CHECK (volume >= 0),
	CONSTRAINT "stocks_rev" CHECK (rev >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX "ledger_key" ON "ledger" USING btree ("key");--> statement-breakpoint
CREATE UNIQUE INDEX "register_one_row" ON "register" USING btree ((1));--> statement-breakpoint
CREATE UNIQUE INDEX "rejections_place" ON "rejections" USING btree ("place");