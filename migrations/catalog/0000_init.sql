CREATE TABLE `ledger` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`quantity` integer NOT NULL,
	`price_cents` integer NOT NULL,
	`term` integer NOT NULL,
	`created_at` text NOT NULL,
	CONSTRAINT "ledger_id" CHECK(id >= 1),
	CONSTRAINT "ledger_type" CHECK(type IN ('buy', 'sell', 'restock')),
	CONSTRAINT "ledger_quantity" CHECK(quantity > 0),
	CONSTRAINT "ledger_price_cents" CHECK(price_cents > 0),
	CONSTRAINT "ledger_term" CHECK(term >= 1)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_key` ON `ledger` (`key`);--> statement-breakpoint
CREATE TABLE `register` (
	`term` integer NOT NULL,
	`leader` integer NOT NULL,
	`head` integer NOT NULL,
	CONSTRAINT "register_term" CHECK(term >= 0),
	CONSTRAINT "register_leader" CHECK(leader >= 0),
	CONSTRAINT "register_head" CHECK(head >= 0)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `register_one_row` ON `register` ((1));--> statement-breakpoint
CREATE TABLE `rejections` (
	`key` text PRIMARY KEY NOT NULL,
	`fingerprint` text NOT NULL,
	`reason` text NOT NULL,
	`created_at` text NOT NULL,
	CONSTRAINT "rejections_reason" CHECK(reason IN ('INVALID_STOCKNAME', 'INSUFFICIENT_QUANTITY'))
) STRICT;
--> statement-breakpoint
CREATE INDEX `rejections_created_at` ON `rejections` (`created_at`);--> statement-breakpoint
CREATE TABLE `stocks` (
	`name` text PRIMARY KEY NOT NULL,
	`price_cents` integer NOT NULL,
	`quantity` integer NOT NULL,
	`volume` integer NOT NULL,
	`rev` integer NOT NULL,
	CONSTRAINT "stocks_name" CHECK(name <> ''),
	CONSTRAINT "stocks_price_cents" CHECK(price_cents > 0),
	CONSTRAINT "stocks_quantity" CHECK(quantity >= 0),
	CONSTRAINT "stocks_volume" CHECK(volume >= 0),
	CONSTRAINT "stocks_rev" CHECK(rev >= 0)
) STRICT;
