CREATE TABLE `initial_stocks` (
	`name` text PRIMARY KEY NOT NULL,
	`quantity` integer NOT NULL,
	CONSTRAINT "initial_stocks_quantity" CHECK(quantity >= 0)
) STRICT;
--> statement-breakpoint
INSERT INTO `initial_stocks` (`name`, `quantity`)
SELECT `name`, `stocks`.`quantity` - IFNULL(`moved`.`units`, 0)
FROM `stocks` LEFT JOIN (
	SELECT `name`, SUM(iif(`type` = 'buy', -`quantity`, `quantity`)) AS `units` FROM `ledger` GROUP BY `name`
) AS `moved` USING (`name`);
