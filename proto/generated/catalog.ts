import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AcquireRequest as _bazaar_v1_AcquireRequest, AcquireRequest__Output as _bazaar_v1_AcquireRequest__Output } from './bazaar/v1/AcquireRequest.ts';
import type { Applied as _bazaar_v1_Applied, Applied__Output as _bazaar_v1_Applied__Output } from './bazaar/v1/Applied.ts';
import type { ApplyRequest as _bazaar_v1_ApplyRequest, ApplyRequest__Output as _bazaar_v1_ApplyRequest__Output } from './bazaar/v1/ApplyRequest.ts';
import type { CatalogClient as _bazaar_v1_CatalogClient, CatalogDefinition as _bazaar_v1_CatalogDefinition } from './bazaar/v1/Catalog.ts';
import type { Change as _bazaar_v1_Change, Change__Output as _bazaar_v1_Change__Output } from './bazaar/v1/Change.ts';
import type { Empty as _bazaar_v1_Empty, Empty__Output as _bazaar_v1_Empty__Output } from './bazaar/v1/Empty.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from './bazaar/v1/Failure.ts';
import type { LedgerOrders as _bazaar_v1_LedgerOrders, LedgerOrders__Output as _bazaar_v1_LedgerOrders__Output } from './bazaar/v1/LedgerOrders.ts';
import type { LookupReply as _bazaar_v1_LookupReply, LookupReply__Output as _bazaar_v1_LookupReply__Output } from './bazaar/v1/LookupReply.ts';
import type { LookupRequest as _bazaar_v1_LookupRequest, LookupRequest__Output as _bazaar_v1_LookupRequest__Output } from './bazaar/v1/LookupRequest.ts';
import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from './bazaar/v1/Order.ts';
import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from './bazaar/v1/OrderColumns.ts';
import type { OrderList as _bazaar_v1_OrderList, OrderList__Output as _bazaar_v1_OrderList__Output } from './bazaar/v1/OrderList.ts';
import type { OrdersAfterRequest as _bazaar_v1_OrdersAfterRequest, OrdersAfterRequest__Output as _bazaar_v1_OrdersAfterRequest__Output } from './bazaar/v1/OrdersAfterRequest.ts';
import type { OutcomeColumns as _bazaar_v1_OutcomeColumns, OutcomeColumns__Output as _bazaar_v1_OutcomeColumns__Output } from './bazaar/v1/OutcomeColumns.ts';
import type { Register as _bazaar_v1_Register, Register__Output as _bazaar_v1_Register__Output } from './bazaar/v1/Register.ts';
import type { RestockRequest as _bazaar_v1_RestockRequest, RestockRequest__Output as _bazaar_v1_RestockRequest__Output } from './bazaar/v1/RestockRequest.ts';
import type { SettleRequest as _bazaar_v1_SettleRequest, SettleRequest__Output as _bazaar_v1_SettleRequest__Output } from './bazaar/v1/SettleRequest.ts';
import type { Settled as _bazaar_v1_Settled, Settled__Output as _bazaar_v1_Settled__Output } from './bazaar/v1/Settled.ts';
import type { Stock as _bazaar_v1_Stock, Stock__Output as _bazaar_v1_Stock__Output } from './bazaar/v1/Stock.ts';
import type { Stocks as _bazaar_v1_Stocks, Stocks__Output as _bazaar_v1_Stocks__Output } from './bazaar/v1/Stocks.ts';
import type { TailReply as _bazaar_v1_TailReply, TailReply__Output as _bazaar_v1_TailReply__Output } from './bazaar/v1/TailReply.ts';
import type { TailRequest as _bazaar_v1_TailRequest, TailRequest__Output as _bazaar_v1_TailRequest__Output } from './bazaar/v1/TailRequest.ts';
import type { Texts as _bazaar_v1_Texts, Texts__Output as _bazaar_v1_Texts__Output } from './bazaar/v1/Texts.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from './bazaar/v1/Trace.ts';
import type { TradeColumns as _bazaar_v1_TradeColumns, TradeColumns__Output as _bazaar_v1_TradeColumns__Output } from './bazaar/v1/TradeColumns.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  bazaar: {
    v1: {
      AcquireRequest: MessageTypeDefinition<_bazaar_v1_AcquireRequest, _bazaar_v1_AcquireRequest__Output>
      Applied: MessageTypeDefinition<_bazaar_v1_Applied, _bazaar_v1_Applied__Output>
      ApplyRequest: MessageTypeDefinition<_bazaar_v1_ApplyRequest, _bazaar_v1_ApplyRequest__Output>
      Catalog: SubtypeConstructor<typeof grpc.Client, _bazaar_v1_CatalogClient> & { service: _bazaar_v1_CatalogDefinition }
      Change: MessageTypeDefinition<_bazaar_v1_Change, _bazaar_v1_Change__Output>
      Empty: MessageTypeDefinition<_bazaar_v1_Empty, _bazaar_v1_Empty__Output>
      ErrorCode: EnumTypeDefinition
      Failure: MessageTypeDefinition<_bazaar_v1_Failure, _bazaar_v1_Failure__Output>
      LedgerOrders: MessageTypeDefinition<_bazaar_v1_LedgerOrders, _bazaar_v1_LedgerOrders__Output>
      LookupReply: MessageTypeDefinition<_bazaar_v1_LookupReply, _bazaar_v1_LookupReply__Output>
      LookupRequest: MessageTypeDefinition<_bazaar_v1_LookupRequest, _bazaar_v1_LookupRequest__Output>
      Order: MessageTypeDefinition<_bazaar_v1_Order, _bazaar_v1_Order__Output>
      OrderColumns: MessageTypeDefinition<_bazaar_v1_OrderColumns, _bazaar_v1_OrderColumns__Output>
      OrderList: MessageTypeDefinition<_bazaar_v1_OrderList, _bazaar_v1_OrderList__Output>
      OrdersAfterRequest: MessageTypeDefinition<_bazaar_v1_OrdersAfterRequest, _bazaar_v1_OrdersAfterRequest__Output>
      OutcomeColumns: MessageTypeDefinition<_bazaar_v1_OutcomeColumns, _bazaar_v1_OutcomeColumns__Output>
      Register: MessageTypeDefinition<_bazaar_v1_Register, _bazaar_v1_Register__Output>
      RestockRequest: MessageTypeDefinition<_bazaar_v1_RestockRequest, _bazaar_v1_RestockRequest__Output>
      SettleRequest: MessageTypeDefinition<_bazaar_v1_SettleRequest, _bazaar_v1_SettleRequest__Output>
      Settled: MessageTypeDefinition<_bazaar_v1_Settled, _bazaar_v1_Settled__Output>
      Stock: MessageTypeDefinition<_bazaar_v1_Stock, _bazaar_v1_Stock__Output>
      Stocks: MessageTypeDefinition<_bazaar_v1_Stocks, _bazaar_v1_Stocks__Output>
      TailKind: EnumTypeDefinition
      TailReply: MessageTypeDefinition<_bazaar_v1_TailReply, _bazaar_v1_TailReply__Output>
      TailRequest: MessageTypeDefinition<_bazaar_v1_TailRequest, _bazaar_v1_TailRequest__Output>
      Texts: MessageTypeDefinition<_bazaar_v1_Texts, _bazaar_v1_Texts__Output>
      Trace: MessageTypeDefinition<_bazaar_v1_Trace, _bazaar_v1_Trace__Output>
      TradeColumns: MessageTypeDefinition<_bazaar_v1_TradeColumns, _bazaar_v1_TradeColumns__Output>
    }
  }
}

