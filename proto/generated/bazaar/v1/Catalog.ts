// From catalog.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AcquireRequest as _bazaar_v1_AcquireRequest, AcquireRequest__Output as _bazaar_v1_AcquireRequest__Output } from '../../bazaar/v1/AcquireRequest.ts';
import type { Applied as _bazaar_v1_Applied, Applied__Output as _bazaar_v1_Applied__Output } from '../../bazaar/v1/Applied.ts';
import type { ApplyRequest as _bazaar_v1_ApplyRequest, ApplyRequest__Output as _bazaar_v1_ApplyRequest__Output } from '../../bazaar/v1/ApplyRequest.ts';
import type { Empty as _bazaar_v1_Empty, Empty__Output as _bazaar_v1_Empty__Output } from '../../bazaar/v1/Empty.ts';
import type { LedgerOrders as _bazaar_v1_LedgerOrders, LedgerOrders__Output as _bazaar_v1_LedgerOrders__Output } from '../../bazaar/v1/LedgerOrders.ts';
import type { LookupReply as _bazaar_v1_LookupReply, LookupReply__Output as _bazaar_v1_LookupReply__Output } from '../../bazaar/v1/LookupReply.ts';
import type { LookupRequest as _bazaar_v1_LookupRequest, LookupRequest__Output as _bazaar_v1_LookupRequest__Output } from '../../bazaar/v1/LookupRequest.ts';
import type { OrdersAfterRequest as _bazaar_v1_OrdersAfterRequest, OrdersAfterRequest__Output as _bazaar_v1_OrdersAfterRequest__Output } from '../../bazaar/v1/OrdersAfterRequest.ts';
import type { Register as _bazaar_v1_Register, Register__Output as _bazaar_v1_Register__Output } from '../../bazaar/v1/Register.ts';
import type { RestockRequest as _bazaar_v1_RestockRequest, RestockRequest__Output as _bazaar_v1_RestockRequest__Output } from '../../bazaar/v1/RestockRequest.ts';
import type { SettleRequest as _bazaar_v1_SettleRequest, SettleRequest__Output as _bazaar_v1_SettleRequest__Output } from '../../bazaar/v1/SettleRequest.ts';
import type { Settled as _bazaar_v1_Settled, Settled__Output as _bazaar_v1_Settled__Output } from '../../bazaar/v1/Settled.ts';
import type { Stocks as _bazaar_v1_Stocks, Stocks__Output as _bazaar_v1_Stocks__Output } from '../../bazaar/v1/Stocks.ts';
import type { TailReply as _bazaar_v1_TailReply, TailReply__Output as _bazaar_v1_TailReply__Output } from '../../bazaar/v1/TailReply.ts';
import type { TailRequest as _bazaar_v1_TailRequest, TailRequest__Output as _bazaar_v1_TailRequest__Output } from '../../bazaar/v1/TailRequest.ts';

export interface CatalogClient extends grpc.Client {
  Acquire(argument: _bazaar_v1_AcquireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _bazaar_v1_AcquireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _bazaar_v1_AcquireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _bazaar_v1_AcquireRequest, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  acquire(argument: _bazaar_v1_AcquireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  acquire(argument: _bazaar_v1_AcquireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  acquire(argument: _bazaar_v1_AcquireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  acquire(argument: _bazaar_v1_AcquireRequest, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  
  Apply(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_ApplyRequest, _bazaar_v1_Applied__Output>;
  Apply(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_ApplyRequest, _bazaar_v1_Applied__Output>;
  apply(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_ApplyRequest, _bazaar_v1_Applied__Output>;
  apply(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_ApplyRequest, _bazaar_v1_Applied__Output>;
  
  GetRegister(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  GetRegister(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  GetRegister(argument: _bazaar_v1_Empty, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  GetRegister(argument: _bazaar_v1_Empty, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  getRegister(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  getRegister(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  getRegister(argument: _bazaar_v1_Empty, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  getRegister(argument: _bazaar_v1_Empty, callback: grpc.requestCallback<_bazaar_v1_Register__Output>): grpc.ClientUnaryCall;
  
  ListStocks(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  ListStocks(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  ListStocks(argument: _bazaar_v1_Empty, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  ListStocks(argument: _bazaar_v1_Empty, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  listStocks(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  listStocks(argument: _bazaar_v1_Empty, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  listStocks(argument: _bazaar_v1_Empty, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  listStocks(argument: _bazaar_v1_Empty, callback: grpc.requestCallback<_bazaar_v1_Stocks__Output>): grpc.ClientUnaryCall;
  
  Lookup(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_LookupRequest, _bazaar_v1_LookupReply__Output>;
  Lookup(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_LookupRequest, _bazaar_v1_LookupReply__Output>;
  lookup(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_LookupRequest, _bazaar_v1_LookupReply__Output>;
  lookup(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_LookupRequest, _bazaar_v1_LookupReply__Output>;
  
  OrdersAfter(argument: _bazaar_v1_OrdersAfterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  OrdersAfter(argument: _bazaar_v1_OrdersAfterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  OrdersAfter(argument: _bazaar_v1_OrdersAfterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  OrdersAfter(argument: _bazaar_v1_OrdersAfterRequest, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  ordersAfter(argument: _bazaar_v1_OrdersAfterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  ordersAfter(argument: _bazaar_v1_OrdersAfterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  ordersAfter(argument: _bazaar_v1_OrdersAfterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  ordersAfter(argument: _bazaar_v1_OrdersAfterRequest, callback: grpc.requestCallback<_bazaar_v1_LedgerOrders__Output>): grpc.ClientUnaryCall;
  
  Restock(argument: _bazaar_v1_RestockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  Restock(argument: _bazaar_v1_RestockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  Restock(argument: _bazaar_v1_RestockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  Restock(argument: _bazaar_v1_RestockRequest, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  restock(argument: _bazaar_v1_RestockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  restock(argument: _bazaar_v1_RestockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  restock(argument: _bazaar_v1_RestockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  restock(argument: _bazaar_v1_RestockRequest, callback: grpc.requestCallback<_bazaar_v1_Applied__Output>): grpc.ClientUnaryCall;
  
  Settle(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_SettleRequest, _bazaar_v1_Settled__Output>;
  Settle(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_SettleRequest, _bazaar_v1_Settled__Output>;
  settle(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_SettleRequest, _bazaar_v1_Settled__Output>;
  settle(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_SettleRequest, _bazaar_v1_Settled__Output>;
  
  Tail(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TailRequest, _bazaar_v1_TailReply__Output>;
  Tail(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TailRequest, _bazaar_v1_TailReply__Output>;
  tail(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TailRequest, _bazaar_v1_TailReply__Output>;
  tail(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bazaar_v1_TailRequest, _bazaar_v1_TailReply__Output>;
  
}

export interface CatalogHandlers extends grpc.UntypedServiceImplementation {
  Acquire: grpc.handleUnaryCall<_bazaar_v1_AcquireRequest__Output, _bazaar_v1_Register>;
  
  Apply: grpc.handleBidiStreamingCall<_bazaar_v1_ApplyRequest__Output, _bazaar_v1_Applied>;
  
  GetRegister: grpc.handleUnaryCall<_bazaar_v1_Empty__Output, _bazaar_v1_Register>;
  
  ListStocks: grpc.handleUnaryCall<_bazaar_v1_Empty__Output, _bazaar_v1_Stocks>;
  
  Lookup: grpc.handleBidiStreamingCall<_bazaar_v1_LookupRequest__Output, _bazaar_v1_LookupReply>;
  
  OrdersAfter: grpc.handleUnaryCall<_bazaar_v1_OrdersAfterRequest__Output, _bazaar_v1_LedgerOrders>;
  
  Restock: grpc.handleUnaryCall<_bazaar_v1_RestockRequest__Output, _bazaar_v1_Applied>;
  
  Settle: grpc.handleBidiStreamingCall<_bazaar_v1_SettleRequest__Output, _bazaar_v1_Settled>;
  
  Tail: grpc.handleBidiStreamingCall<_bazaar_v1_TailRequest__Output, _bazaar_v1_TailReply>;
  
}

export interface CatalogDefinition extends grpc.ServiceDefinition {
  Acquire: MethodDefinition<_bazaar_v1_AcquireRequest, _bazaar_v1_Register, _bazaar_v1_AcquireRequest__Output, _bazaar_v1_Register__Output>
  Apply: MethodDefinition<_bazaar_v1_ApplyRequest, _bazaar_v1_Applied, _bazaar_v1_ApplyRequest__Output, _bazaar_v1_Applied__Output>
  GetRegister: MethodDefinition<_bazaar_v1_Empty, _bazaar_v1_Register, _bazaar_v1_Empty__Output, _bazaar_v1_Register__Output>
  ListStocks: MethodDefinition<_bazaar_v1_Empty, _bazaar_v1_Stocks, _bazaar_v1_Empty__Output, _bazaar_v1_Stocks__Output>
  Lookup: MethodDefinition<_bazaar_v1_LookupRequest, _bazaar_v1_LookupReply, _bazaar_v1_LookupRequest__Output, _bazaar_v1_LookupReply__Output>
  OrdersAfter: MethodDefinition<_bazaar_v1_OrdersAfterRequest, _bazaar_v1_LedgerOrders, _bazaar_v1_OrdersAfterRequest__Output, _bazaar_v1_LedgerOrders__Output>
  Restock: MethodDefinition<_bazaar_v1_RestockRequest, _bazaar_v1_Applied, _bazaar_v1_RestockRequest__Output, _bazaar_v1_Applied__Output>
  Settle: MethodDefinition<_bazaar_v1_SettleRequest, _bazaar_v1_Settled, _bazaar_v1_SettleRequest__Output, _bazaar_v1_Settled__Output>
  Tail: MethodDefinition<_bazaar_v1_TailRequest, _bazaar_v1_TailReply, _bazaar_v1_TailRequest__Output, _bazaar_v1_TailReply__Output>
}
