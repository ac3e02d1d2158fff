CREATE TABLE `orders` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`quantity` integer NOT NULL,
	`price_cents` integer NOT NULL,
	`term` integer NOT NULL,
	`created_at` text NOT NULL,
	CONSTRAINT "orders_id" CHECK(id >= 1),
	CONSTRAINT "orders_type" CHECK(type IN ('buy', 'sell', 'restock')),
	CONSTRAINT "orders_quantity" CHECK(quantity > 0),
	CONSTRAINT "orders_price_cents" CHECK(price_cents > 0),
	CONSTRAINT "orders_term" CHECK(term >= 1)
) STRICT;
