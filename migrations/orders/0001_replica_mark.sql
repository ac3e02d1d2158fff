CREATE TABLE `replica` (
	`boot_id` text NOT NULL,
	`synced` integer NOT NULL,
	CONSTRAINT "replica_synced" CHECK(synced IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `replica_one_row` ON `replica` ((1));--> statement-breakpoint
INSERT INTO `replica` (`boot_id`, `synced`) SELECT iif(count(*) = 0, 'new', ''), iif(count(*) = 0, 0, 1) FROM `orders`;
