// From orders.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Empty as _bazaar_v1_Empty, Empty__Output as _bazaar_v1_Empty__Output } from '../../bazaar/v1/Empty.ts';
import type { FollowReply as _bazaar_v1_FollowReply, FollowReply__Output as _bazaar_v1_FollowReply__Output } from '../../bazaar/v1/FollowReply.ts';
import type { FollowRequest as _bazaar_v1_FollowRequest, FollowRequest__Output as _bazaar_v1_FollowRequest__Output } from '../../bazaar/v1/FollowRequest.ts';
import type { GetOrderRequest as _bazaar_v1_GetOrderRequest, GetOrderRequest__Output as _bazaar_v1_GetOrderRequest__Output } from '../../bazaar/v1/GetOrderRequest.ts';
import type { LeadReply as _bazaar_v1_LeadReply, LeadReply__Output as _bazaar_v1_LeadReply__Output } from '../../bazaar/v1/LeadReply.ts';
import type { LeadRequest as _bazaar_v1_LeadRequest, LeadRequest__Output as _bazaar_v1_LeadRequest__Output } from '../../bazaar/v1/LeadRequest.ts';
import type { ListOrdersRequest as _bazaar_v1_ListOrdersRequest, ListOrdersRequest__Output as _bazaar_v1_ListOrdersRequest__Output } from '../../bazaar/v1/ListOrdersRequest.ts';
import type { OrderList as _bazaar_v1_OrderList, OrderList__Output as _bazaar_v1_OrderList__Output } from '../../bazaar/v1/OrderList.ts';
import type { OrderReply as _bazaar_v1_OrderReply, OrderReply__Output as _bazaar_v1_OrderReply__Output } from '../../bazaar/v1/OrderReply.ts';
import type { ReplicaStatus as _bazaar_v1_ReplicaStatus, ReplicaStatus__Output as _bazaar_v1_ReplicaStatus__Output } from '../../bazaar/v1/ReplicaStatus.ts';
import type { SetLeaderRequest as _bazaar_v1_SetLeaderRequest, SetLeaderRequest__Output as _bazaar_v1_SetLeaderRequest__Output } from '../../bazaar/v1/SetLeaderRequest.ts';
import type { TradesReply as _bazaar_v1_TradesReply, TradesReply__Output as _bazaar_v1_TradesReply__Output } from '../../bazaar/v1/TradesReply.ts';
import type { TradesRequest as _bazaar_v1_TradesRequest, TradesRequest__Output as _bazaar_v1_TradesRequest__Output } from '../../bazaar/v1/TradesRequest.ts';

export interface OrdersClient extends grpc.Client {
  Follow(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_FollowRequest, _bazaar_v1_FollowReply__Output>;
  Follow(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_FollowRequest, _bazaar_v1_FollowReply__Output>;
  follow(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_FollowRequest, _bazaar_v1_FollowReply__Output>;
  follow(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_FollowRequest, _bazaar_v1_FollowReply__Output>;
  
  GetOrder(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_GetOrderRequest, _bazaar_v1_OrderReply__Output>;
  GetOrder(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_GetOrderRequest, _bazaar_v1_OrderReply__Output>;
  getOrder(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_GetOrderRequest, _bazaar_v1_OrderReply__Output>;
  getOrder(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_GetOrderRequest, _bazaar_v1_OrderReply__Output>;
  
  Lead(argument: _bazaar_v1_LeadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  Lead(argument: _bazaar_v1_LeadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  Lead(argument: _bazaar_v1_LeadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  Lead(argument: _bazaar_v1_LeadRequest, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  lead(argument: _bazaar_v1_LeadRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  lead(argument: _bazaar_v1_LeadRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  lead(argument: _bazaar_v1_LeadRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  lead(argument: _bazaar_v1_LeadRequest, callback: grpc.requestCallback<_bazaar_v1_LeadReply__Output>): grpc.ClientUnaryCall;
  
  ListOrders(argument: _bazaar_v1_ListOrdersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  ListOrders(argument: _bazaar_v1_ListOrdersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  ListOrders(argument: _bazaar_v1_ListOrdersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  ListOrders(argument: _bazaar_v1_ListOrdersRequest, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  listOrders(argument: _bazaar_v1_ListOrdersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  listOrders(argument: _bazaar_v1_ListOrdersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  listOrders(argument: _bazaar_v1_ListOrdersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  listOrders(argument: _bazaar_v1_ListOrdersRequest, callback: grpc.requestCallback<_bazaar_v1_OrderList__Output>): grpc.ClientUnaryCall;
  
  PlaceTrades(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TradesRequest, _bazaar_v1_TradesReply__Output>;
  PlaceTrades(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TradesRequest, _bazaar_v1_TradesReply__Output>;
  placeTrades(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TradesRequest, _bazaar_v1_TradesReply__Output>;
  placeTrades(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TradesRequest, _bazaar_v1_TradesReply__Output>;
  
  SetLeader(argument: _bazaar_v1_SetLeaderRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  SetLeader(argument: _bazaar_v1_SetLeaderRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  SetLeader(argument: _bazaar_v1_SetLeaderRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  SetLeader(argument: _bazaar_v1_SetLeaderRequest, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  setLeader(argument: _bazaar_v1_SetLeaderRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  setLeader(argument: _bazaar_v1_SetLeaderRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  setLeader(argument: _bazaar_v1_SetLeaderRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  setLeader(argument: _bazaar_v1_SetLeaderRequest, callback: grpc.requestCallback<_bazaar_v1_Empty__Output>): grpc.ClientUnaryCall;
  
  Watch(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bazaar_v1_ReplicaStatus__Output>;
  Watch(argument: _bazaar_v1_Empty, options?: grpc.CallOptions): grpc.ClientReadableStream<_bazaar_v1_ReplicaStatus__Output>;
  watch(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bazaar_v1_ReplicaStatus__Output>;
  watch(argument: _bazaar_v1_Empty, options?: grpc.CallOptions): grpc.ClientReadableStream<_bazaar_v1_ReplicaStatus__Output>;
  
}

export interface OrdersHandlers extends grpc.UntypedServiceImplementation {
  Follow: grpc.handleBidiStreamingCall<_bazaar_v1_FollowRequest__Output, _bazaar_v1_FollowReply>;
  
  GetOrder: grpc.handleBidiStreamingCall<_bazaar_v1_GetOrderRequest__Output, _bazaar_v1_OrderReply>;
  
  Lead: grpc.handleUnaryCall<_bazaar_v1_LeadRequest__Output, _bazaar_v1_LeadReply>;
  
  ListOrders: grpc.handleUnaryCall<_bazaar_v1_ListOrdersRequest__Output, _bazaar_v1_OrderList>;
  
  PlaceTrades: grpc.handleBidiStreamingCall<_bazaar_v1_TradesRequest__Output, _bazaar_v1_TradesReply>;
  
  SetLeader: grpc.handleUnaryCall<_bazaar_v1_SetLeaderRequest__Output, _bazaar_v1_Empty>;
  
  Watch: grpc.handleServerStreamingCall<_bazaar_v1_Empty__Output, _bazaar_v1_ReplicaStatus>;
  
}

export interface OrdersDefinition extends grpc.ServiceDefinition {
  Follow: MethodDefinition<_bazaar_v1_FollowRequest, _bazaar_v1_FollowReply, _bazaar_v1_FollowRequest__Output, _bazaar_v1_FollowReply__Output>
  GetOrder: MethodDefinition<_bazaar_v1_GetOrderRequest, _bazaar_v1_OrderReply, _bazaar_v1_GetOrderRequest__Output, _bazaar_v1_OrderReply__Output>
  Lead: MethodDefinition<_bazaar_v1_LeadRequest, _bazaar_v1_LeadReply, _bazaar_v1_LeadRequest__Output, _bazaar_v1_LeadReply__Output>
  ListOrders: MethodDefinition<_bazaar_v1_ListOrdersRequest, _bazaar_v1_OrderList, _bazaar_v1_ListOrdersRequest__Output, _bazaar_v1_OrderList__Output>
  PlaceTrades: MethodDefinition<_bazaar_v1_TradesRequest, _bazaar_v1_TradesReply, _bazaar_v1_TradesRequest__Output, _bazaar_v1_TradesReply__Output>
  SetLeader: MethodDefinition<_bazaar_v1_SetLeaderRequest, _bazaar_v1_Empty, _bazaar_v1_SetLeaderRequest__Output, _bazaar_v1_Empty__Output>
  Watch: MethodDefinition<_bazaar_v1_Empty, _bazaar_v1_ReplicaStatus, _bazaar_v1_Empty__Output, _bazaar_v1_ReplicaStatus__Output>
}
