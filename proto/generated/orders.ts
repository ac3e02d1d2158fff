import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Empty as _bazaar_v1_Empty, Empty__Output as _bazaar_v1_Empty__Output } from './bazaar/v1/Empty.ts';
import type { Failure as _bazaar_v1_Failure, Failure__Output as _bazaar_v1_Failure__Output } from './bazaar/v1/Failure.ts';
import type { FollowReply as _bazaar_v1_FollowReply, FollowReply__Output as _bazaar_v1_FollowReply__Output } from './bazaar/v1/FollowReply.ts';
import type { FollowRequest as _bazaar_v1_FollowRequest, FollowRequest__Output as _bazaar_v1_FollowRequest__Output } from './bazaar/v1/FollowRequest.ts';
import type { GetOrderRequest as _bazaar_v1_GetOrderRequest, GetOrderRequest__Output as _bazaar_v1_GetOrderRequest__Output } from './bazaar/v1/GetOrderRequest.ts';
import type { LeadReply as _bazaar_v1_LeadReply, LeadReply__Output as _bazaar_v1_LeadReply__Output } from './bazaar/v1/LeadReply.ts';
import type { LeadRequest as _bazaar_v1_LeadRequest, LeadRequest__Output as _bazaar_v1_LeadRequest__Output } from './bazaar/v1/LeadRequest.ts';
import type { ListOrdersRequest as _bazaar_v1_ListOrdersRequest, ListOrdersRequest__Output as _bazaar_v1_ListOrdersRequest__Output } from './bazaar/v1/ListOrdersRequest.ts';
import type { Order as _bazaar_v1_Order, Order__Output as _bazaar_v1_Order__Output } from './bazaar/v1/Order.ts';
import type { OrderColumns as _bazaar_v1_OrderColumns, OrderColumns__Output as _bazaar_v1_OrderColumns__Output } from './bazaar/v1/OrderColumns.ts';
import type { OrderList as _bazaar_v1_OrderList, OrderList__Output as _bazaar_v1_OrderList__Output } from './bazaar/v1/OrderList.ts';
import type { OrderReply as _bazaar_v1_OrderReply, OrderReply__Output as _bazaar_v1_OrderReply__Output } from './bazaar/v1/OrderReply.ts';
import type { OrdersClient as _bazaar_v1_OrdersClient, OrdersDefinition as _bazaar_v1_OrdersDefinition } from './bazaar/v1/Orders.ts';
import type { OutcomeColumns as _bazaar_v1_OutcomeColumns, OutcomeColumns__Output as _bazaar_v1_OutcomeColumns__Output } from './bazaar/v1/OutcomeColumns.ts';
import type { ReplicaStatus as _bazaar_v1_ReplicaStatus, ReplicaStatus__Output as _bazaar_v1_ReplicaStatus__Output } from './bazaar/v1/ReplicaStatus.ts';
import type { SetLeaderRequest as _bazaar_v1_SetLeaderRequest, SetLeaderRequest__Output as _bazaar_v1_SetLeaderRequest__Output } from './bazaar/v1/SetLeaderRequest.ts';
import type { Texts as _bazaar_v1_Texts, Texts__Output as _bazaar_v1_Texts__Output } from './bazaar/v1/Texts.ts';
import type { Trace as _bazaar_v1_Trace, Trace__Output as _bazaar_v1_Trace__Output } from './bazaar/v1/Trace.ts';
import type { TradeColumns as _bazaar_v1_TradeColumns, TradeColumns__Output as _bazaar_v1_TradeColumns__Output } from './bazaar/v1/TradeColumns.ts';
import type { TradesReply as _bazaar_v1_TradesReply, TradesReply__Output as _bazaar_v1_TradesReply__Output } from './bazaar/v1/TradesReply.ts';
import type { TradesRequest as _bazaar_v1_TradesRequest, TradesRequest__Output as _bazaar_v1_TradesRequest__Output } from './bazaar/v1/TradesRequest.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  bazaar: {
    v1: {
      Empty: MessageTypeDefinition<_bazaar_v1_Empty, _bazaar_v1_Empty__Output>
      ErrorCode: EnumTypeDefinition
      Failure: MessageTypeDefinition<_bazaar_v1_Failure, _bazaar_v1_Failure__Output>
      FollowReply: MessageTypeDefinition<_bazaar_v1_FollowReply, _bazaar_v1_FollowReply__Output>
      FollowRequest: MessageTypeDefinition<_bazaar_v1_FollowRequest, _bazaar_v1_FollowRequest__Output>
      GetOrderRequest: MessageTypeDefinition<_bazaar_v1_GetOrderRequest, _bazaar_v1_GetOrderRequest__Output>
      LeadReply: MessageTypeDefinition<_bazaar_v1_LeadReply, _bazaar_v1_LeadReply__Output>
      LeadRequest: MessageTypeDefinition<_bazaar_v1_LeadRequest, _bazaar_v1_LeadRequest__Output>
      ListOrdersRequest: MessageTypeDefinition<_bazaar_v1_ListOrdersRequest, _bazaar_v1_ListOrdersRequest__Output>
      Order: MessageTypeDefinition<_bazaar_v1_Order, _bazaar_v1_Order__Output>
      OrderColumns: MessageTypeDefinition<_bazaar_v1_OrderColumns, _bazaar_v1_OrderColumns__Output>
      OrderList: MessageTypeDefinition<_bazaar_v1_OrderList, _bazaar_v1_OrderList__Output>
      OrderReply: MessageTypeDefinition<_bazaar_v1_OrderReply, _bazaar_v1_OrderReply__Output>
      Orders: SubtypeConstructor<typeof grpc.Client, _bazaar_v1_OrdersClient> & { service: _bazaar_v1_OrdersDefinition }
      OutcomeColumns: MessageTypeDefinition<_bazaar_v1_OutcomeColumns, _bazaar_v1_OutcomeColumns__Output>
      ReplicaStatus: MessageTypeDefinition<_bazaar_v1_ReplicaStatus, _bazaar_v1_ReplicaStatus__Output>
      Role: EnumTypeDefinition
      SetLeaderRequest: MessageTypeDefinition<_bazaar_v1_SetLeaderRequest, _bazaar_v1_SetLeaderRequest__Output>
      Texts: MessageTypeDefinition<_bazaar_v1_Texts, _bazaar_v1_Texts__Output>
      Trace: MessageTypeDefinition<_bazaar_v1_Trace, _bazaar_v1_Trace__Output>
      TradeColumns: MessageTypeDefinition<_bazaar_v1_TradeColumns, _bazaar_v1_TradeColumns__Output>
      TradesReply: MessageTypeDefinition<_bazaar_v1_TradesReply, _bazaar_v1_TradesReply__Output>
      TradesRequest: MessageTypeDefinition<_bazaar_v1_TradesRequest, _bazaar_v1_TradesRequest__Output>
    }
  }
}

